package import Logging
private import PostgresClient
private import RedisClient
private import Synchronization

/// Finds waiting jobs that Redis does not know, by their state and never by an id cursor, and pushes them again.
///
/// Each pass looks at all jobs that became due within the last minute, and at one more page of everything that waits, so a
/// small backlog is covered at each pass and a large one in turn.
package final class Sweeper: Sendable {
    private let ledger: Ledger
    private let dispatch: Dispatch
    private let logger: Logger
    private let positions = Mutex<[String: WaitingJob]>([:])
    private static let page = 2000
    /// Pages of one pass after hints were held back: a million jobs in some ten passes.
    private static let pagesToCatchUp = 50
    private let catchingUp = Mutex(false)

    package init(_ ledger: Ledger, _ dispatch: Dispatch, logger: Logger) {
        self.ledger = ledger
        self.dispatch = dispatch
        self.logger = logger
    }

    /// One pass.
    ///
    /// - Returns: how many jobs Redis had not known.
    @discardableResult
    package func run() async throws -> Int {
        await dispatch.watchMemory()
        guard dispatch.isAgreed, !dispatch.isFull else { return 0 }
        if dispatch.takeMissed() { beginAgain() }
        var found = try await push(recent())
        for page in 0..<Self.pagesToCatchUp where page == 0 || catchingUp.withLock({ $0 }) {
            var hints: [JobHint] = []
            for queue in dispatch.queues { hints += try await nextPage(of: queue) }
            found += try await push(hints)
            if positions.withLock({ $0.isEmpty }) { catchingUp.withLock { $0 = false } }
            await dispatch.watchMemory()
            guard !dispatch.isFull else { break }
        }
        if found > 0 { logger.notice("the sweep found jobs that Redis did not know", metadata: ["jobs": "\(found)"]) }
        return found
    }

    /// Redis was full for a while and has room again: everything that waits is looked at, quickly.
    private func beginAgain() {
        positions.withLock { $0 = [:] }
        catchingUp.withLock { $0 = true }
    }

    private func push(_ hints: [JobHint]) async throws -> Int {
        guard let generation = dispatch.generation else { return 0 }
        var found = 0
        for result in await dispatch.pushAll(hints, generation: String(generation)) {
            switch result {
            case .success(let reply): found += reply.integer ?? 0
            case .failure(let error):
                dispatch.suspect(error)
                throw error
            }
        }
        return found
    }

    private func recent() async throws -> [JobHint] {
        try Ledger.hints(
            await ledger.postgres.query(
                """
                SELECT id, queue, tenant, priority, 0, \(clause: Ledger.place) FROM jobs
                WHERE state = 'queued' AND queue = ANY(\(dispatch.queues)::text[])
                  AND run_at BETWEEN clock_timestamp() - interval '60 seconds' AND clock_timestamp()
                  AND created_at < clock_timestamp() - interval '500 milliseconds'
                ORDER BY run_at LIMIT \(Self.page)
                """
            )
        )
    }

    private func nextPage(of queue: String) async throws -> [JobHint] {
        let page = try await ledger.waiting(in: queue, after: positions.withLock { $0[queue] }, limit: Self.page)
        positions.withLock { $0[queue] = page.count < Self.page ? nil : page.last }
        return page.map(\.hint)
    }
}
