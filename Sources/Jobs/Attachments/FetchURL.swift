package import Domain
private import FoundationEssentials
private import Logging
private import NIOCore
private import PostgresClient
private import Queue
private import Stores

/// Fetches a page and attaches its text to an engagement, for a request that waits for it (contract A-20…A-29, J-4).
///
/// What the caller did wrong is an answer, not a failure: no operator has to look at it.
package struct FetchURL: Job {
    package static let kind = JobKind.fetchURL
    package static let policy = JobPolicy(
        queue: .fetch,
        priority: 0,
        timeout: .seconds(20),
        retry: RetryPolicy(attempts: 1, base: .milliseconds(1), ceiling: .milliseconds(1))
    )

    let engagement: Engagement.ID
    let tenant: Tenant.ID
    let user: User.ID
    let url: String
    let category: String
    let once: String?

    /// - Parameters:
    ///   - url: as the caller gave it; checked when it is fetched.
    ///   - once: the name of a request with an `Idempotency-Key`: however many jobs bear it, they make one attachment.
    package init(
        engagement: Engagement.ID,
        tenant: Tenant.ID,
        user: User.ID,
        url: String,
        category: Attachment.Category,
        once: String? = nil
    ) {
        self.engagement = engagement
        self.tenant = tenant
        self.user = user
        self.url = url
        self.category = category.rawValue
        self.once = once
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        guard let pages = context.services.pages else { return .refuse("this worker fetches no pages") }
        let page: FetchedPage
        do {
            page = try await pages.fetch(url)
        } catch let fault as FetchFault {
            if case .refused(let reason) = fault {
                context.logger.notice("a url was refused", metadata: ["tenant": "\(tenant)", "reason": "\(reason)"])
                return .answer(FetchOutcome.refused(reason).json)
            }
            return .answer(FetchOutcome.failed(fault.description).json)
        }
        return try await store(
            PageDocument(
                page,
                asked: url,
                at: Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
            ),
            context
        )
    }

    private func store(_ document: PageDocument, _ context: JobContext) async throws -> Outcome {
        let stores = context.services.stores
        let key = BlobKey.make(.attachments)
        let (bytes, feed) = AsyncStream.makeStream(of: ByteBuffer.self)
        feed.yield(ByteBuffer(string: document.text))
        feed.finish()
        do {
            try await BlobWriter(context.services.blobs, stores.blobCatalogue)
                .write(bytes, as: key, for: tenant) { digest in
                    ((), isKept: try await attach(document, key, digest, context))
                }
            return .settled
        } catch let error as BlobError {
            return .refuse(error.description)
        }
    }

    /// One transaction: this job's end, its answer, the attachment and all that follows from it.
    ///
    /// The fence comes first. That is against the house's order of locks, and safe here: whoever holds an engagement never
    /// asks for the row of a fetch.
    /// - Returns: false where nothing was attached.
    private func attach(
        _ document: PageDocument,
        _ key: String,
        _ digest: BlobDigest,
        _ context: JobContext
    ) async throws -> Bool {
        let new = NewAttachment(
            engagement: engagement,
            tenant: tenant,
            label: FileLabel(document.filename),
            mimeType: PageDocument.mimeType,
            category: Attachment.Category(rawValue: category) ?? .reference,
            summary: document.summary,
            sourceURL: url,
            uploadedBy: user,
            storageKey: key,
            digest: digest
        )
        return try await context.settle { transaction in
            let asked = try await transaction.sql.query(
                "SELECT cancel_requested FROM jobs WHERE id = \(context.job.id)"
            )
            let isGivenUp = try asked.first?.decode(Bool.self) ?? true
            guard !isGivenUp else {
                throw Moot(description: "nobody waits for the page any more")
            }
            if let earlier = try await earlier(key, transaction) {
                _ = try await transaction.sql.query(context.recording(FetchOutcome.stored(key: earlier).json))
                return false
            }
            return try await insert(new, transaction, context)
        }
    }

    /// Claims the name of the request for this attachment.
    ///
    /// - Returns: the storage key of the attachment that the same request has made before; nil where it has made none.
    private func earlier(_ key: String, _ transaction: QueueTransaction) async throws -> String? {
        guard let once else { return nil }
        let claimed = try await transaction.sql.query(FetchedPages.claim(once, tenant, storageKey: key))
        guard claimed.first == nil else { return nil }
        return try await transaction.sql.query(FetchedPages.find(once, tenant)).first?.decode(String.self)
    }

    private func insert(
        _ new: NewAttachment,
        _ transaction: QueueTransaction,
        _ context: JobContext
    ) async throws -> Bool {
        _ = try await transaction.sql.query(context.recording(FetchOutcome.stored(key: new.storageKey).json))
        let refused: FetchOutcome
        switch try await AddAttachment.finish(transaction, new, context.services.stores.attachments) {
        case .inserted: return true
        case .full: refused = .full
        case .noEngagement: refused = .gone
        }
        _ = try await transaction.sql.query(context.recording(refused.json))
        if let once { _ = try await transaction.sql.query(FetchedPages.disclaim(once, tenant)) }
        return false
    }
}
