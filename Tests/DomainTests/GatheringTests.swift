import Domain
import Synchronization
import TestSupport
import Testing

@Suite("Questions that are put together")
struct GatheringTests {
    /// Answers with the question and the number of its batch; holds the first batch back until it is let go.
    private final class Oracle: Sendable {
        let batches = Mutex<[[String: Int]]>([])
        let isOpen = Mutex(false)

        func answer(_ questions: [(question: String, count: Int)]) async -> [String] {
            let number = batches.withLock { batches in
                batches.append(Dictionary(uniqueKeysWithValues: questions.map { ($0.question, $0.count) }))
                return batches.count
            }
            while number == 1, !isOpen.withLock({ $0 }) { await Task.yield() }
            return questions.map { "\($0.question)\(number)" }
        }
    }

    @Test(
        "what comes while a question is under way is put together, the same once, and each caller has a place of its own"
    )
    func together() async throws {
        let oracle = Oracle()
        let gathering = Gathering<String, String>(width: 1) { await oracle.answer($0) }
        async let first = gathering.ask("a")
        try await eventually(within: .seconds(10), "the first question") { oracle.batches.withLock { $0.count == 1 } }
        let shares = try await withThrowingTaskGroup(of: (answer: String, place: Int).self) { group in
            for index in 0..<30 { group.addTask { await gathering.ask(index < 10 ? "b" : "a") } }
            // Nobody can tell when all of them wait: those who come late are asked about later.
            oracle.isOpen.withLock { $0 = true }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(await first.answer == "a1")
        #expect(shares.count == 30 && shares.allSatisfy { $0.answer.hasPrefix("a") || $0.answer.hasPrefix("b") })
        let asked = oracle.batches.withLock { $0 }
        #expect(asked.reduce(0) { $0 + $1.values.reduce(0, +) } == 31)
        for (number, batch) in asked.enumerated() {
            for (question, count) in batch {
                let places = (shares + [await first]).filter { $0.answer == "\(question)\(number + 1)" }.map(\.place)
                #expect(places.sorted() == Array(0..<count))
            }
        }
    }

    @Test("a caller who is gone leaves the others their answer")
    func cancelled() async throws {
        let oracle = Oracle()
        let gathering = Gathering<String, String>(width: 1) { await oracle.answer($0) }
        let gone = Task { await gathering.ask("a") }
        try await eventually(within: .seconds(10), "the first question") { oracle.batches.withLock { $0.count == 1 } }
        let other = Task { await gathering.ask("a") }
        gone.cancel()
        oracle.isOpen.withLock { $0 = true }
        #expect(await other.value.answer == "a2")
        #expect(await gone.value.answer == "a1")
    }
}
