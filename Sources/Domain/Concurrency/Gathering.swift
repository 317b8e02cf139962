private import Synchronization

/// Puts questions that callers have at the same time to somebody far away in one round trip.
///
/// While fewer than `width` round trips are under way a question goes out at once; others wait for the end of one, and then go
/// out together, the same ones once. So each is put after its caller asked, and never answered from before: this is no cache.
/// It is asked for all, so a caller's transaction and its tenant's wall do not hold for it.
package final class Gathering<Question: Hashable & Sendable, Answer: Sendable>: Sendable {
    /// Gets each question once, with the number of callers who have it, and answers in the same order.
    package typealias Oracle = @Sendable ([(question: Question, count: Int)]) async -> [Answer]

    /// The answer, and the caller's place among those who asked the same, from 0.
    package typealias Share = (answer: Answer, place: Int)

    private struct State {
        var waiting: [Question: [CheckedContinuation<Share, Never>]] = [:]
        var underWay = 0
    }

    private let width: Int
    private let oracle: Oracle
    private let state = Mutex(State())

    /// - Parameters:
    ///   - width: round trips under way at once, at least 1.
    ///   - oracle: must end by itself; its callers wait as long as it takes.
    package init(width: Int = 2, oracle: @escaping Oracle) {
        self.width = width
        self.oracle = oracle
    }

    package func ask(_ question: Question) async -> Share {
        await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiting[question, default: []].append(continuation)
                guard state.underWay < width else { return false }
                state.underWay += 1
                return true
            }
            // Detached: it is asked for all who wait, and must not end, nor take part in a transaction, with the first of them.
            if isFirst { Task.detached { await self.go() } }
        }
    }

    /// Callers whose question is not on its way yet.
    var waiting: Int { state.withLock { $0.waiting.values.reduce(0) { $0 + $1.count } } }

    private func go() async {
        while let batch = take() {
            let answers = await oracle(batch.map { ($0.key, $0.value.count) })
            precondition(answers.count == batch.count, "\(batch.count) questions have \(answers.count) answers")
            for (answer, entry) in zip(answers, batch) {
                for (place, continuation) in entry.value.enumerated() {
                    continuation.resume(returning: (answer, place))
                }
            }
        }
    }

    /// Everybody who waits; nil where nobody does, and this round trip has ended.
    private func take() -> [Question: [CheckedContinuation<Share, Never>]]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.underWay -= 1
                return nil
            }
            defer { state.waiting = [:] }
            return state.waiting
        }
    }
}
