import Domain
import PostgresClient

// How tasks and submissions are read from their tables.

extension CollectionTask.Status: PostgresEncodable, PostgresDecodable {}
extension Submission.Status: PostgresEncodable, PostgresDecodable {}

extension CollectionTask {
    static let columns: SQL = """
        id, tenant_id, livemode, title, instructions, modalities, device_requirement, example_media_key, reward_cents,
        target_submissions, budget_cents, funded_cents, approved_count, status, funding_url,
        (extract(epoch FROM created_at) * 1000000)::bigint, (extract(epoch FROM updated_at) * 1000000)::bigint
        """

    /// - Parameter row: of ``columns``.
    init(_ row: Row) throws(PostgresError) {
        let (
            id, tenant, isLive, title, instructions, modalities, device, example, reward, target, budget, funded,
            approved,
            status, fundingURL, created, updated
        ) = try row.decode(
            ID.self,
            Tenant.ID.self,
            Bool.self,
            String.self,
            String.self,
            [String].self,
            String.self,
            String?.self,
            Int.self,
            Int.self,
            Int.self,
            Int.self,
            Int.self,
            Status.self,
            String?.self,
            Timestamp.self,
            Timestamp.self
        )
        self.init(
            id: id,
            tenant: tenant,
            mode: isLive ? .live : .test,
            title: title,
            instructions: instructions,
            modalities: modalities,
            deviceRequirement: device,
            exampleMediaKey: example,
            rewardCents: reward,
            targetSubmissions: target,
            budgetCents: budget,
            fundedCents: funded,
            approvedCount: approved,
            status: status,
            fundingURL: fundingURL,
            createdAt: created,
            updatedAt: updated
        )
    }
}

extension Submission {
    static let columns: SQL = """
        s.id, s.tenant_id, s.task_id, s.contributor_id, s.media_object_key, s.duration_seconds, s.byte_size, s.status,
        s.review_note, (extract(epoch FROM s.reviewed_at) * 1000000)::bigint,
        (extract(epoch FROM s.created_at) * 1000000)::bigint
        """

    /// - Parameter row: of ``columns``.
    init(_ row: Row) throws(PostgresError) {
        let (id, tenant, task, contributor, key, duration, size, status, note, reviewed, created) = try row.decode(
            ID.self,
            Tenant.ID.self,
            CollectionTask.ID.self,
            User.ID.self,
            String.self,
            Int.self,
            Int.self,
            Status.self,
            String?.self,
            Timestamp?.self,
            Timestamp.self
        )
        self.init(
            id: id,
            tenant: tenant,
            task: task,
            contributor: contributor,
            mediaKey: key,
            durationSeconds: duration,
            byteSize: size,
            status: status,
            reviewNote: note,
            reviewedAt: reviewed,
            createdAt: created
        )
    }
}
