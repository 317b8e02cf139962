package import Domain
package import PostgresClient

/// What contributors do: they belong to no tenant, and work on the open tasks of all (decision D-65).
package struct ContributorStore: Sendable {
    private let postgres: Postgres
    private let hasher: PasswordHasher

    package init(_ postgres: Postgres, hasher: PasswordHasher) {
        self.postgres = postgres
        self.hasher = hasher
    }

    /// Makes a contributor who can log in.
    ///
    /// - Returns: nil where the e-mail belongs to an account already. The password exists here and nowhere else afterwards.
    package func create(email: String, name: String?) async throws -> (id: User.ID, password: String)? {
        let password = Secret.password()
        let hash = try await hasher.hash(password)
        let made = try await postgres.query(
            """
            INSERT INTO users (id, kind, email, name, password_hash)
            VALUES (\(User.ID.make()), 'contributor', \(email), \(name ?? email), \(hash))
            ON CONFLICT (lower(email)) WHERE email IS NOT NULL DO NOTHING RETURNING id
            """
        )
        return try made.first.map { (try $0.decode(User.ID.self), password) }
    }

    /// Open tasks of one mode, newest first, ``Page/longest`` at most.
    package func openTasks(_ mode: KeyMode) async throws(PostgresError) -> [CollectionTask] {
        let rows = try await postgres.query(
            """
            SELECT \(clause: CollectionTask.columns) FROM collect_tasks
            WHERE livemode = \(mode == .live) AND status = 'open'
            ORDER BY created_at DESC, id DESC LIMIT \(Page.longest)
            """
        )
        var tasks: [CollectionTask] = []
        for row in rows { tasks.append(try CollectionTask(row)) }
        return tasks
    }

    /// The state of a task, of whatever tenant and mode; nil where there is none.
    package func status(of task: CollectionTask.ID) async throws(PostgresError) -> CollectionTask.Status? {
        try await postgres.query("SELECT status FROM collect_tasks WHERE id = \(task)").first?
            .decode(CollectionTask.Status.self)
    }

    // MARK: Uploading

    /// Leave to upload one recording.
    package struct UploadGrant: Sendable {
        /// Under which the bytes will lie.
        package let key: String
        /// Whose task it is.
        package let tenant: Tenant.ID
        /// The media type that was announced.
        package let type: String
    }

    /// Lets a contributor upload one recording for an open task.
    ///
    /// - Parameter type: `video/…`
    /// - Returns: nil where the task is not open.
    package func grantUpload(
        of type: String,
        for task: CollectionTask.ID,
        to contributor: User.ID
    ) async throws(PostgresError) -> UploadGrant? {
        let key = BlobKey.make(.submissions)
        let granted = try await postgres.query(
            """
            INSERT INTO submission_uploads (media_object_key, tenant_id, task_id, contributor_id, mime_type)
            SELECT \(key), tenant_id, id, \(contributor), \(type) FROM collect_tasks
            WHERE id = \(task) AND status = 'open' RETURNING tenant_id
            """
        )
        guard let row = granted.first else { return nil }
        return UploadGrant(key: key, tenant: try row.decode(Tenant.ID.self), type: type)
    }

    // MARK: Handing in

    /// What a contributor hands in.
    package struct Draft: Sendable {
        package let task: CollectionTask.ID
        package let mediaKey: String
        package let durationSeconds: Int

        package init(task: CollectionTask.ID, mediaKey: String, durationSeconds: Int) {
            self.task = task
            self.mediaKey = mediaKey
            self.durationSeconds = durationSeconds
        }
    }

    /// What came of it.
    package enum Outcome: Sendable {
        case submitted(Submission)
        case noTask
        case taskIsNotOpen(CollectionTask.Status)
        /// The contributor was not given this key for this task.
        case keyIsUnknown
        case keyIsUsed
        /// Nothing lies under the key yet.
        case nothingUploaded
        /// It was uploaded so long ago that it may be swept up at any moment.
        case uploadIsTooOld
    }

    /// Hands in what was uploaded; the caller adds the event to the same transaction. A key serves once.
    package func submit(
        _ draft: Draft,
        by contributor: User.ID,
        in transaction: PostgresTransaction
    ) async throws(PostgresError) -> Outcome {
        let found = try await transaction.query(
            "SELECT status FROM collect_tasks WHERE id = \(draft.task) FOR SHARE"
        )
        guard let row = found.first else { return .noTask }
        let keys = try await transaction.query(
            """
            SELECT u.used_at IS NOT NULL, coalesce(b.state = 'live', false),
                   coalesce(b.created_at < now() - interval '23 hours', false)
            FROM submission_uploads u
            LEFT JOIN blobs b ON b.storage_key = u.media_object_key
            WHERE u.media_object_key = \(draft.mediaKey) AND u.task_id = \(draft.task) AND u.contributor_id = \(contributor)
            FOR UPDATE OF u
            """
        )
        guard let key = keys.first else { return .keyIsUnknown }
        let (isUsed, isLive, isOld) = try key.decode(Bool.self, Bool.self, Bool.self)
        guard !isUsed else { return .keyIsUsed }
        guard isLive else { return .nothingUploaded }
        guard !isOld else { return .uploadIsTooOld }
        let status = try row.decode(CollectionTask.Status.self)
        guard status == .open else { return .taskIsNotOpen(status) }
        return .submitted(try await Self.write(draft, transaction))
    }

    /// Size and owner are what we know of them, not what the contributor says.
    private static func write(
        _ draft: Draft,
        _ transaction: PostgresTransaction
    ) async throws(PostgresError) -> Submission {
        let results = try await transaction.pipeline([
            "UPDATE submission_uploads SET used_at = now() WHERE media_object_key = \(draft.mediaKey)",
            """
            INSERT INTO submissions AS s
              (id, tenant_id, task_id, contributor_id, media_object_key, duration_seconds, byte_size)
            SELECT \(Submission.newID()), u.tenant_id, u.task_id, u.contributor_id, u.media_object_key,
                   \(draft.durationSeconds)::int, b.size_bytes
            FROM submission_uploads u JOIN blobs b ON b.storage_key = u.media_object_key
            WHERE u.media_object_key = \(draft.mediaKey) RETURNING \(clause: Submission.columns)
            """,
        ])
        guard let row = results.last?.first else { throw PostgresError(.unexpectedResult, "no submission") }
        return try Submission(row)
    }

    /// Forgets keys that nobody handed in for a day; the bytes under them go with the sweep of unused objects (C-9). Safe at
    /// any time and twice at once.
    package static let forgetUploads: SQL = """
        DELETE FROM submission_uploads WHERE used_at IS NULL AND created_at < now() - interval '1 day'
        """
}
