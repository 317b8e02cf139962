private import PostgresClient

/// A job of a batch that did not end well, for people.
package struct BatchFailure: Sendable {
    package let job: Int
    package let kind: String
    package let state: String
    package let error: String?
}

extension Inspector {
    /// Batches, newest first.
    ///
    /// - Parameter limit: at most so many.
    package func batches(limit: Int) async throws -> [BatchView] {
        let ids = try await queue.postgres.query("SELECT id FROM batches ORDER BY id DESC LIMIT \(limit)")
            .map { row in try row.decode(Int.self) }
        var views: [BatchView] = []
        for id in ids {
            if let view = try await queue.batch(id) { views.append(view) }
        }
        return views
    }

    /// Jobs of a batch that are dead or cancelled, lowest ids first; deleted ones are only counted.
    ///
    /// - Parameter limit: at most so many.
    package func failures(of batch: Int, limit: Int) async throws -> [BatchFailure] {
        try await queue.postgres.query(
            """
            SELECT id, kind, state, error FROM jobs WHERE batch = \(batch) AND state IN ('dead','cancelled')
            ORDER BY id LIMIT \(limit)
            """,
            timeout: .seconds(60)
        ).map { row in
            let (job, kind, state, error) = try row.decode(Int.self, String.self, String.self, String?.self)
            return BatchFailure(job: job, kind: kind, state: state, error: error)
        }
    }
}
