import Domain
import Foundation
import Jobs
import PostgresClient
import Queue
import Stores
import Synchronization
import TestSupport
import Testing

@testable import API

/// Answers that are committed before they are whole: what waits for Stripe holds no transaction.
@Suite("Answers that wait for something after their commit", .serialized)
struct UnfinishedAnswerTests {
    private static let settings = APIService.Settings.forTests(
        limits: Dictionary(uniqueKeysWithValues: RateTier.limited.map { ($0, RateLimit(count: 100_000, seconds: 60)) }),
        // So long that no test meets the end of it.
        payments: PaymentSettings(
            webhookSecrets: [],
            modes: [.live, .test],
            prices: .none,
            pagePatience: .seconds(300)
        )
    )
    private static let task = #"""
        {"title":"Record a busy street","instructions":"Walk any street.","reward_cents":250,"target_submissions":2}
        """#

    private static func asked(_ world: World) async throws -> Int {
        try await world.count("kind = 'stripe.checkout' AND payload ? 'asked' AND state = 'queued'")
    }

    /// Ends every asked checkout with the page that one key at Stripe gives.
    private static func answer(_ world: World) async throws {
        _ = try await world.postgres.query(
            """
            UPDATE jobs SET state = 'done', finished_at = clock_timestamp(),
              result = jsonb_build_object('id', 'cs_1', 'url', 'https://pay.example/1', 'livemode', false)
            WHERE kind = 'stripe.checkout' AND payload ? 'asked' AND state = 'queued'
            """
        )
    }

    private static func post(_ api: APIUnderTest, _ key: String = "k") async throws -> Reply {
        let headers = api.bearer(api.collectionKey, ["Idempotency-Key": key])
        return try await api.post("/api/v1/tasks", task, headers)
    }

    /// What the tasks of a test share.
    private final class Shared<Value: Sendable>: Sendable {
        let value: Mutex<Value>

        init(_ value: Value) { self.value = Mutex(value) }
    }

    /// Sends the same request twice at once, and lets `meanwhile` happen until both have their answers.
    private static func postTwice(
        _ api: APIUnderTest,
        _ meanwhile: @escaping @Sendable () async throws -> Void
    ) async throws -> [Reply] {
        let replies = Shared<[Reply]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    let reply = try await Self.post(api)
                    replies.value.withLock { $0.append(reply) }
                }
            }
            try await eventually(within: .seconds(60), "both to have their answers") {
                try await meanwhile()
                return replies.value.withLock { $0.count } == 2
            }
            try await group.waitForAll()
        }
        return replies.value.withLock { $0 }
    }

    /// Nobody takes the one that finishes an answer for dead, however slow this machine is.
    private static let alive: SQL = """
        UPDATE idempotency_keys SET unfinished_since = clock_timestamp() + interval '1 hour'
        WHERE unfinished_since IS NOT NULL
        """

    private static let transactions: SQL = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()
        """

    @Test("T-8, T-13: while a keyed creation waits for Stripe its task is committed and it holds no transaction")
    func waiting() async throws {
        try await APIUnderTest.run(settings: Self.settings) { api in
            let wasSeen = Shared(false)
            let replies = try await Self.postTwice(api) {
                if try await Self.asked(api.world) == 1, !wasSeen.value.withLock({ $0 }) {
                    _ = try await api.world.postgres.query(Self.alive)
                    #expect(try await api.count("SELECT count(*) FROM collect_tasks") == 1)
                    try await eventually(within: .seconds(20), "no transaction to be open") {
                        try await api.count(Self.transactions) == 0
                    }
                    wasSeen.value.withLock { $0 = true }
                }
                if wasSeen.value.withLock({ $0 }) { try await Self.answer(api.world) }
            }
            #expect(wasSeen.value.withLock { $0 })
            for reply in replies {
                #expect(reply.status == 201 && reply.data?["funding_url"] == "https://pay.example/1", "\(reply.text)")
            }
            #expect(replies[0].text == replies[1].text)
            #expect(replies.count { $0.header("Idempotent-Replayed") == "true" } == 1)
            let third = try await Self.post(api)
            #expect(third.text == replies[0].text && third.header("Idempotent-Replayed") == "true")
            #expect(try await api.count("SELECT count(*) FROM collect_tasks") == 1)
        }
    }

    @Test("SC-23, D-63: one that dies while it waits for Stripe is taken over: one task, and its page in the answer")
    func takeover() async throws {
        try await APIUnderTest.run(settings: Self.settings) { api in
            // Its process dies: the request is cancelled as soon as the task is committed.
            let dying = Task { try await Self.post(api) }
            try await eventually(within: .seconds(20), "the creation to wait for its page") {
                try await Self.asked(api.world) == 1
            }
            dying.cancel()
            _ = try? await dying.value
            _ = try await api.world.postgres.query(
                """
                UPDATE idempotency_keys SET unfinished_since = clock_timestamp() - interval '6 seconds',
                  answer = answer
                """
            )
            let answers = try await Self.postTwice(api) { try await Self.answer(api.world) }
            for reply in answers { #expect(reply.status == 201, "\(reply.text)") }
            #expect(answers[0].text == answers[1].text)
            #expect(answers[0].data?["funding_url"] == "https://pay.example/1")
            #expect(try await api.count("SELECT count(*) FROM collect_tasks") == 1)
            #expect(
                try await api.count("SELECT count(*) FROM idempotency_keys WHERE unfinished_since IS NOT NULL") == 0
            )
        }
    }

    // MARK: The store

    private let request = IdempotencyStore.Request(principal: "p", key: "k", content: [1])
    private let half = IdempotencyStore.Answer(status: 201, body: "half")
    private let whole = IdempotencyStore.Answer(status: 201, body: "whole")

    private func store(_ world: World) -> IdempotencyStore {
        IdempotencyStore(world.postgres, sealer: .answers(Array(0..<32)), patience: .milliseconds(200))
    }

    private func once(
        _ world: World,
        finishing finish: @escaping IdempotencyStore.Finish
    ) async throws -> IdempotencyStore.Outcome<Int> {
        try await store(world).once(request, finishing: finish) { (1, half) }
    }

    @Test("A half answer is nobody's answer: others find it busy until it is whole, or its owner is taken for dead")
    func halves() async throws {
        let world = try await World.fresh()
        let outcome = try await once(world) { _ in
            _ = try? await world.postgres.query(Self.alive)
            if case .busy? = try? await once(world, finishing: { $0 }) { return whole }
            return half
        }
        guard case .finished(whole) = outcome else { throw NeverHappened(description: "\(outcome)") }
        guard case .replayed(whole) = try await once(world, finishing: { _ in half }) else {
            throw NeverHappened(description: "the whole one is replayed")
        }
        await world.close()
    }

    @Test("Whoever finishes first has the last word, and the slow one gives the same bytes")
    func slow() async throws {
        let world = try await World.fresh()
        let outcome = try await once(world) { _ in
            _ = try? await world.postgres.query(
                "UPDATE idempotency_keys SET unfinished_since = clock_timestamp() - interval '1 minute'"
            )
            guard case .finished(whole)? = try? await once(world, finishing: { _ in whole }) else { return half }
            return IdempotencyStore.Answer(status: 201, body: "too late")
        }
        guard case .replayed(whole) = outcome else { throw NeverHappened(description: "\(outcome)") }
        await world.close()
    }

    @Test("A refusal has nothing to wait for")
    func refusal() async throws {
        let world = try await World.fresh()
        let refused = IdempotencyStore.Answer(status: 409, body: "no")
        let outcome = try await store(world).once(request, finishing: { _ in whole }, perform: { (1, refused) })
        guard case .performed(1) = outcome else { throw NeverHappened(description: "\(outcome)") }
        await world.close()
    }
}
