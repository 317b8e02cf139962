import Synchronization
import TestSupport
import Testing

@testable import Domain

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
        "what comes while questions are under way is put together, the same once, and each caller has a place of its own"
    )
    func together() async throws {
        let oracle = Oracle()
        defer { oracle.isOpen.withLock { $0 = true } }
        let gathering = Gathering<String, String>(width: 1) { await oracle.answer($0) }
        let first = Task { await gathering.ask("a") }
        try await eventually(within: .seconds(10), "the first question") { oracle.batches.withLock { $0.count == 1 } }
        let others = (0..<30).map { index in Task { await gathering.ask(index < 10 ? "b" : "a") } }
        try await eventually(within: .seconds(10), "the others to wait") { gathering.waiting == 30 }
        oracle.isOpen.withLock { $0 = true }
        #expect(await first.value.answer == "a1")
        var places: [String: [Int]] = [:]
        for other in others {
            let share = await other.value
            places[share.answer, default: []].append(share.place)
        }
        #expect(places.mapValues { $0.sorted() } == ["b2": Array(0..<10), "a2": Array(0..<20)])
        #expect(oracle.batches.withLock { $0 } == [["a": 1], ["b": 10, "a": 20]])
    }

    @Test("as many go out at once as there may be under way")
    func width() async throws {
        let oracle = Oracle()
        defer { oracle.isOpen.withLock { $0 = true } }
        let gathering = Gathering<String, String> { await oracle.answer($0) }
        let first = Task { await gathering.ask("a") }
        try await eventually(within: .seconds(10), "the first question") { oracle.batches.withLock { $0.count == 1 } }
        #expect(await gathering.ask("b").answer == "b2")
        #expect(await gathering.ask("a").answer == "a3")
        oracle.isOpen.withLock { $0 = true }
        #expect(await first.value.answer == "a1")
    }

    @Test("a caller who is gone leaves the others their answer")
    func cancelled() async throws {
        let oracle = Oracle()
        defer { oracle.isOpen.withLock { $0 = true } }
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
