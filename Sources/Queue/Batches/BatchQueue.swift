private import FoundationEssentials
import PostgresClient

// Counting is done by triggers (0005_workflow.sql): in the transaction that ends a job, whoever ends it, and at its commit.

extension QueueTransaction {
    /// Opens a batch. Jobs are added by naming it in ``NewJob/batch``, until it is sealed.
    ///
    /// - Returns: its id.
    package func open(_ batch: NewBatch) async throws -> Int {
        let result = try await sql.query(
            """
            INSERT INTO batches (name, tenant, on_all, on_any_failed, on_last)
            VALUES (\(batch.name), \(batch.tenant), \(try batch.onAll?.specification())::jsonb,
                    \(try batch.onAnyFailed?.specification())::jsonb, \(try batch.onLast?.specification())::jsonb)
            RETURNING id
            """
        )
        guard let row = result.first else { throw PostgresError(.unexpectedResult, "no batch id") }
        return try row.decode(Int.self)
    }

    /// No more jobs are added: from now on the batch can be done. Sealing it twice changes nothing.
    package func seal(batch: Int) async throws {
        _ = try await sql.query("SELECT seal_batch(\(batch))")
    }
}

extension JobQueue {
    /// Adds a whole batch: it, its jobs and its seal in one transaction.
    ///
    /// - Returns: the batch's id. Jobs whose unique key is taken are left out and not counted.
    package func enqueue(_ batch: NewBatch, of jobs: [NewJob]) async throws -> Int {
        let id = try await transaction { transaction in
            let id = try await transaction.open(batch)
            try await transaction.enqueue(
                jobs.map { job in
                    var job = job
                    job.batch = id
                    return job
                }
            )
            try await transaction.seal(batch: id)
            return id
        }
        return id
    }

    /// Seals an open batch in a transaction of its own.
    package func seal(batch: Int) async throws {
        try await transaction { transaction in try await transaction.seal(batch: batch) }
    }

    /// - Returns: nil where there is no such batch: a finished one is kept for 14 days.
    package func batch(_ id: Int) async throws -> BatchView? {
        let result = try await postgres.query(
            """
            SELECT id, name, tenant, state, total, pending, failed, all_job, any_failed_job, last_job
            FROM batches WHERE id = \(id)
            """
        )
        guard let row = result.first else { return nil }
        let (id, name, tenant, state, total, pending, failed, all, any, last) = try row.decode(
            Int.self,
            String.self,
            String.self,
            BatchView.State.self,
            Int.self,
            Int.self,
            Int.self,
            Int?.self,
            Int?.self,
            Int?.self
        )
        return BatchView(
            id: id,
            name: name,
            tenant: tenant,
            state: state,
            total: total,
            pending: pending,
            failed: failed,
            allJob: all,
            anyFailedJob: any,
            lastJob: last
        )
    }
}

extension BatchView.State: PostgresValue {}

extension NewJob {
    /// - Throws: ``EnqueueError`` where its rules contradict each other.
    fileprivate func specification() throws -> String {
        try check()
        return String(decoding: try JSONEncoder().encode(JobSpecification(self)), as: UTF8.self)
    }
}
