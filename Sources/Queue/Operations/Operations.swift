private import PostgresClient

/// What an operator does to jobs: many at once, in pages of 1,000, each page committed before the next begins.
///
/// Safe beside workers and beside another operator: a page locks its rows, and a job that moved on is left out.
package struct Operations: Sendable {
    private let queue: JobQueue
    private let pageSize: Int

    /// - Parameter pageSize: jobs per statement; a test makes it small.
    package init(_ queue: JobQueue, pageSize: Int = 1000) {
        self.queue = queue
        self.pageSize = pageSize
    }

    /// The dry run: what the action would touch.
    package func count(_ filter: JobFilter, for action: BulkAction) async throws -> [BulkGroup] {
        let result = try await queue.postgres.query(Ledger.count(filter, for: action), timeout: .seconds(60))
        return try result.map { row in
            let (queue, kind, state, count) = try row.decode(String.self, String.self, JobState.self, Int.self)
            return BulkGroup(queue: queue, kind: kind, state: state, count: count)
        }
    }

    /// Carries the action out.
    ///
    /// - Parameters:
    ///   - reason: what becomes the error text of jobs that are cancelled while they wait.
    ///   - progress: called after each page with the number of jobs looked at so far.
    /// - Throws: `PostgresError`; pages before the one that failed are committed.
    package func run(
        _ action: BulkAction,
        _ filter: JobFilter,
        reason: String,
        progress: (Int) -> Void = { _ in }
    ) async throws -> BulkOutcome {
        var outcome = BulkOutcome()
        var gone: [Page] = []
        var last = 0
        var seen = 0
        while seen < filter.limit ?? .max {
            let size = min(pageSize, (filter.limit ?? .max) - seen)
            let page = try await retrying {
                switch action {
                case .retry(let rate):
                    try await retry(Ledger.retry(filter, after: last, size: size, first: seen, perSecond: rate))
                case .drop: try await end(Ledger.drop(filter, after: last, size: size, reason: reason))
                case .cancel: try await end(Ledger.cancel(filter, after: last, size: size, reason: reason))
                }
            }
            guard let newest = page.last else { break }
            last = newest
            seen += page.count
            outcome.add(page)
            if !page.waiting.isEmpty { gone.append(page) }
            progress(seen)
        }
        if gone.count > 1 { await forgetAgain(gone) }
        return outcome
    }

    /// A sweep that had read a page's jobs just before they ended brought them back to Redis after they were forgotten.
    private func forgetAgain(_ pages: [Page]) async {
        for page in pages {
            for (name, ids) in page.waiting { await queue.dispatch.forget(ids, queue: name) }
        }
    }

    /// One page's worth of results.
    fileprivate struct Page {
        var count = 0
        var last: Int?
        var changed = 0
        var requested = 0
        var conflicts: [Int] = []
        /// Ids that waited and do not any more, by queue.
        var waiting: [String: [Int]] = [:]
    }

    private func retry(_ statement: SQL) async throws -> Page {
        var page = Page()
        var hints: [JobHint] = []
        for row in try await queue.postgres.query(statement, timeout: .seconds(60)) {
            let (id, conflict, name, tenant, priority, due, place) = try row.decode(
                Int.self,
                Bool.self,
                String?.self,
                String?.self,
                Int?.self,
                Int?.self,
                String?.self
            )
            page.count += 1
            page.last = id
            if conflict { page.conflicts.append(id) }
            if let name, let tenant, let priority, let due {
                let key = place.flatMap(ConcurrencyKey.init(ledger:))
                hints.append(JobHint(id: id, queue: name, tenant: tenant, priority: priority, due: due, key: key))
            }
        }
        page.changed = hints.count
        await queue.dispatch.push(hints)
        return page
    }

    private func end(_ statement: SQL) async throws -> Page {
        var page = Page()
        var running: [RunningJob] = []
        for row in try await queue.postgres.query(statement, timeout: .seconds(60)) {
            let (id, name, state, session) = try row.decode(Int.self, String.self, JobState.self, Int?.self)
            page.count += 1
            page.last = id
            if state == .queued { page.waiting[name, default: []].append(id) }
            if state == .running, let session { running.append(RunningJob(id: id, queue: name, session: session)) }
        }
        page.changed = page.count
        page.requested = running.count
        for (name, ids) in page.waiting { await queue.dispatch.forget(ids, queue: name) }
        await queue.dispatch.requestCancels(running)
        return page
    }

    /// Once more where a worker's claim took the same rows in another order, or a new job took a unique key meanwhile.
    private func retrying(_ body: () async throws -> Page) async throws -> Page {
        for _ in 1..<4 {
            do {
                return try await body()
            } catch let error as PostgresError where error.isRetryable || error.isUniqueViolation {
                continue
            }
        }
        return try await body()
    }
}

extension BulkOutcome {
    fileprivate mutating func add(_ page: Operations.Page) {
        changed += page.changed
        requested += page.requested
        conflicts += page.conflicts
    }
}
