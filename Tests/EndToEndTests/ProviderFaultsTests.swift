import Domain
import Foundation
import PostgresClient
import Queue
import TestSupport
import Testing

/// What a run makes of a provider that fails, with real processes and a scripted server: engine F1, F3 to F6.
@Suite("Runs on a provider that fails", .serialized)
struct ProviderFaultsTests {
    private static let key = "sk-test-0123456789abcdef"
    private let twoTasks: JSON = [["id": "a", "title": "First"], ["id": "b", "title": "Second"]]

    private struct Ended {
        let status: String
        let error: String
        let log: String
        let requests: Int
        let calls: [String]
    }

    /// Runs one engagement of two tasks on a worker that knows only this server.
    private func run(
        on server: FakeModelServer,
        _ check: (FleetUnderTest, Ended) async throws -> Void
    ) async throws {
        let fleet = try await FleetUnderTest(extra: [
            "OPENAI_BASE_URL": server.baseURL, "OPENAI_API_KEY": Self.key, "GC_MODEL": "test-model",
            "GC_UNPRICED_IS_FREE": "1",
        ])
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port)
        let id = try await caller.startRun(tasks: twoTasks)
        try await eventually(within: .seconds(60), "the run to end", poll: .milliseconds(50)) {
            let status = try await caller.call("GET", "/api/engagements/\(id)/status").body["status"]?.stringValue
            return status == "completed" || status == "failed"
        }
        let status = try await caller.call("GET", "/api/engagements/\(id)/status").body
        let logs = try await caller.call("GET", "/api/engagements/\(id)/logs").body
        let calls = try await fleet.world.postgres.query("SELECT state FROM llm_calls ORDER BY id")
        let ended = Ended(
            status: status["status"]?.stringValue ?? "",
            error: status.text,
            log: logs.text,
            requests: server.requestCount,
            calls: try calls.map { try $0.decode(String.self) }
        )
        #expect(!ended.error.contains(Self.key) && !ended.log.contains(Self.key))
        try await check(fleet, ended)
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    @Test("F1: a 429 with Retry-After costs one more request, not sooner, and uses up no failure")
    func rateLimited() async throws {
        try await FakeModelServer.with(.rateLimited(retryAfter: "2")) { server in
            try await run(on: server) { fleet, ended in
                #expect(ended.status == "completed" && ended.requests == 3)
                let moments = server.requests.map(\.at)
                #expect(moments[0].duration(to: moments[1]) >= .seconds(2))
                let failed = try await fleet.world.count("failures > 0")
                #expect(failed == 0)
            }
        }
    }

    @Test(
        "F4, F6: 500, a dropped connection and a cut body each cost one attempt; the run completes, the cost is booked once"
    )
    func passing() async throws {
        try await FakeModelServer.with(.status(500), .drop, .cut(after: "Hel")) { server in
            try await run(on: server) { fleet, ended in
                #expect(ended.status == "completed" && ended.requests == 5)
                #expect(ended.calls.filter { $0 == "settled" }.count == 2)
                #expect(ended.calls.filter { $0 == "unknown" }.count == 1, "a cut answer stays charged")
                let failed = try await fleet.world.count("kind = 'crew.step' AND failures = 3")
                #expect(failed == 1)
            }
        }
    }

    @Test("F5: rejected credentials fail the run after one request, and the key is in no log and no answer")
    func unauthorized() async throws {
        try await FakeModelServer.with(.unauthorized(quoting: Self.key)) { server in
            try await run(on: server) { fleet, ended in
                #expect(ended.status == "failed" && ended.requests == 1)
                let texts = try await fleet.world.postgres.query(
                    """
                    SELECT string_agg(t, ' ') FROM (SELECT data::text AS t FROM run_events UNION ALL
                      SELECT error FROM runs UNION ALL SELECT content FROM deliverables UNION ALL SELECT error FROM jobs) all_texts
                    """
                ).first?.decode(String.self)
                let found = try #require(texts)
                #expect(found.contains("Provider credentials rejected") && !found.contains(Self.key))
            }
        }
    }

    @Test("F3: an exhausted quota is no rate limit: one request, and the run says so")
    func quota() async throws {
        try await FakeModelServer.with(.quota) { server in
            try await run(on: server) { _, ended in
                #expect(ended.status == "failed" && ended.requests == 1)
            }
        }
    }

    @Test("F6: an answer cut at its length is continued once in a step of its own")
    func length() async throws {
        try await FakeModelServer.with(.text("One ").cutAtLength, .text("two.")) { server in
            try await run(on: server) { fleet, ended in
                #expect(ended.status == "completed" && ended.requests == 3)
                let document = try await fleet.world.postgres.query(
                    "SELECT content FROM deliverables WHERE task_id = 'a'"
                ).first?.decode(String.self)
                #expect(document == "One two.")
            }
        }
    }
}
