import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

/// Ring 3: the same POST many times at once, while API processes are killed. `bench/idempotency.py` is the long form.
@Suite("Idempotency under kills", .serialized)
struct IdempotencyKillTests {
    private static let task = #"""
        {"title":"Record a busy street","instructions":"Walk any street for 30 s.","reward_cents":250,"target_submissions":2}
        """#

    /// Two API processes, of which any may be gone at any time.
    private struct Replicas: Sendable {
        let ports: [Int]
        let client: HTTPClient
        let key: String

        /// Posts until somebody answers with 201: what was cut off, or is under way, is tried again at the other one.
        func create(_ name: String, from first: Int) async throws -> String {
            var turn = first
            var body = ""
            try await eventually(within: .seconds(60), "an answer to \(name)", poll: .milliseconds(25)) {
                turn += 1
                guard let reply = try? await post(name, to: ports[turn % 2]), reply.status == 201 else { return false }
                body = reply.body
                return true
            }
            return body
        }

        func post(_ name: String, to port: Int) async throws -> (status: Int, body: String) {
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/api/v1/tasks")
            request.method = .POST
            request.headers.add(name: "Authorization", value: "Bearer \(key)")
            request.headers.add(name: "Idempotency-Key", value: name)
            request.body = .bytes(ByteBuffer(string: IdempotencyKillTests.task))
            let response = try await client.execute(request, timeout: .seconds(20))
            let bytes = try await response.body.collect(upTo: 1 << 20)
            return (Int(response.status.code), String(decoding: bytes.readableBytesView, as: UTF8.self))
        }
    }

    private func key(_ fleet: FleetUnderTest, _ mode: KeyMode) async throws -> String {
        let accounts = fleet.world.stores.accounts
        let tenant = try await accounts.createTenant(name: "Buyer", plan: nil)
        let scopes: [Scope] = [.tasksRead, .tasksWrite]
        return try #require(try await accounts.createKey(tenant: tenant.id, name: "k", scopes: scopes, mode: mode))
            .plaintext
    }

    private func tasks(_ fleet: FleetUnderTest) async throws -> Int {
        try await fleet.world.postgres.query("SELECT count(*) FROM collect_tasks").first?.decode(Int.self) ?? -1
    }

    @Test("T-7, T-8, SC-23: 100 same requests at once, eight times, with kill -9 of a replica in each: eight tasks")
    func killed() async throws {
        let fleet = try await FleetUnderTest(extra: ["GC_RATE_COLLECTION": "1000000/60"])
        let ports = [freePort(), freePort()]
        var processes = try ports.map { try fleet.start("api", "--port", "\($0)") }
        for port in ports { _ = try await Caller.ready(fleet, port: port) }
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 100
        // A dead replica is refused at once, and the other one is asked.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
        let replicas = Replicas(ports: ports, client: client, key: try await key(fleet, .test))
        for round in 0..<8 {
            let victim = round % 2
            let process = processes[victim]
            let bodies = try await withThrowingTaskGroup(of: String?.self) { group in
                for index in 0..<100 {
                    group.addTask { try await replicas.create("round-\(round)", from: index) }
                }
                group.addTask {
                    // Half of the rounds before anything is written, half when the task is there.
                    if round % 4 >= 2 {
                        try await eventually(within: .seconds(30), "the round's task") {
                            try await tasks(fleet) > round
                        }
                    }
                    process.signal(SIGKILL)
                    return nil
                }
                return try await group.reduce(into: [String]()) { if let body = $1 { $0.append(body) } }
            }
            #expect(bodies.count == 100 && Set(bodies).count == 1, "round \(round)")
            #expect(try await tasks(fleet) == round + 1)
            processes[victim] = try fleet.start("api", "--port", "\(ports[victim])")
        }
        try await client.shutdown()
        for process in processes { process.signal(SIGKILL) }
        await fleet.close()
    }

    @Test(
        "SC-23: kill -9 of a replica while it waits on a slow Stripe, and the retry at the other one: one task, one page"
    )
    func killedWaiting() async throws {
        let stripe = try await ScriptedStripe.start()
        let fleet = try await FleetUnderTest(
            extra: [
                "GC_RATE_COLLECTION": "1000000/60", "GC_STRIPE_SECRET_KEY": "sk_test_1",
                "GC_STRIPE_API_BASE": stripe.baseURL,
            ]
        )
        let ports = [freePort(), freePort()]
        let processes = try ports.map { try fleet.start("api", "--port", "\($0)") } + [try fleet.start("worker")]
        for port in ports { _ = try await Caller.ready(fleet, port: port) }
        let replicas = Replicas(ports: ports, client: HTTPClient.shared, key: try await key(fleet, .test))
        stripe.fail(.late(.seconds(5)))
        async let first = try? replicas.post("slow", to: ports[0])
        try await eventually(within: .seconds(10), "Stripe to be asked") { stripe.requests == 1 }
        processes[0].signal(SIGKILL)
        #expect(await first == nil, "its connection was cut")
        #expect(try await tasks(fleet) == 1, "the task does not wait for Stripe")
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<10 { group.addTask { try await replicas.create("slow", from: 0) } }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(Set(answers).count == 1)
        #expect(answers[0].contains("https://pay.example/"), "\(answers[0])")
        #expect(try await tasks(fleet) == 1)
        #expect(stripe.made("/v1/checkout/sessions").count == 1)
        for process in processes { process.signal(SIGKILL) }
        await fleet.close()
        try await stripe.stop()
    }
}
