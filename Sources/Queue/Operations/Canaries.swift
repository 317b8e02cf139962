private import PostgresClient

/// What became of a no-op job that was sent through a queue.
package struct CanaryReport: Sendable, Equatable {
    package enum Result: Sendable, Equatable {
        /// Milliseconds from its creation to its claim, and to its end, by Postgres' clock.
        case arrived(claimed: Double, finished: Double)
        /// The queue is paused or closed: none was sent.
        case skipped(QueueMode)
        /// It did not end in time; it was taken back.
        case lost
    }

    package let queue: String
    package let result: Result
}

/// Sends no-op jobs through queues, to see that they move.
package struct Canaries: Sendable {
    private let queue: JobQueue

    package init(_ queue: JobQueue) {
        self.queue = queue
    }

    /// One through each queue, all at once.
    ///
    /// - Parameters:
    ///   - canary: a job without effects; its queue is replaced.
    ///   - limit: how long to wait for all of them. Those that are still there then are cancelled.
    package func send(_ canary: NewJob, through queues: [String], within limit: Duration) async throws -> [CanaryReport]
    {
        let settings = try await queue.ledger.queueSettings()
        let shut = Dictionary(settings.filter { $0.mode != .open }.map { ($0.queue, $0.mode) }) { first, _ in first }
        var reports = queues.compactMap { name in
            shut[name].map { CanaryReport(queue: name, result: .skipped($0)) }
        }
        var waiting: [Int: String] = [:]
        for name in queues where shut[name] == nil {
            var job = canary
            job.queue = name
            for id in try await queue.enqueue([job]) { waiting[id] = name }
        }
        let deadline = ContinuousClock.now + limit
        while !waiting.isEmpty, ContinuousClock.now < deadline {
            for (id, result) in try await arrived(Array(waiting.keys)) {
                if let name = waiting.removeValue(forKey: id) {
                    reports.append(CanaryReport(queue: name, result: result))
                }
            }
            if !waiting.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        }
        if !waiting.isEmpty {
            let filter = JobFilter(ids: Array(waiting.keys))
            _ = try await Operations(queue).run(.cancel, filter, reason: "a canary that was not picked up in time")
        }
        reports += waiting.values.map { CanaryReport(queue: $0, result: .lost) }
        return reports.sorted { $0.queue < $1.queue }
    }

    private func arrived(_ ids: [Int]) async throws -> [(Int, CanaryReport.Result)] {
        try await queue.postgres.query(
            """
            SELECT id, (extract(epoch FROM claimed_at - created_at) * 1000)::float8,
                   (extract(epoch FROM finished_at - created_at) * 1000)::float8
            FROM jobs WHERE id = ANY (\(ids)::bigint[]) AND state = 'done'
            """
        ).map { row in
            let (id, claimed, finished) = try row.decode(Int.self, Double.self, Double.self)
            return (id, .arrived(claimed: claimed, finished: finished))
        }
    }
}
