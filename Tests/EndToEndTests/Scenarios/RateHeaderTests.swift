import Domain
import Foundation
import NIOHTTP1
import TestSupport
import Testing

extension ScenarioTests {
    /// The limit of 120 as it is, in a window short enough to wait for its end. What comes within a twentieth of it is one
    /// cohort, which leaves at Reset.
    private static let window = 30

    @Test(
        "SC-27, T-5, X-9, X-10: of 121 reads over two replicas, eleven at a time, exactly 120 pass; at Reset there are 119 more"
    )
    func rateHeaders() async throws {
        let house = try #require(Scene.current).house
        let replicas = try await Replicas.start(house, ["GC_RATE_COLLECTION": "120/\(Self.window)"])
        let buyer = try await house.customer(nil)
        let d1 = replicas.credential(try await buyer.buyer().a.key)
        // A cohort begins with a whole second: the burst is to fit into one.
        try await eventually(within: .seconds(5), "the beginning of a second", poll: .milliseconds(10)) {
            Date.now.timeIntervalSince1970.truncatingRemainder(dividingBy: 1) < 0.2
        }
        let began = Date.now.timeIntervalSince1970
        let answers = try await atOnce(11) { lane in
            var answers: [Answer] = []
            for turn in 0..<11 { answers.append(try await d1[lane + turn].ask("GET", "/api/v1/tasks")) }
            return answers
        }.flatMap(\.self)
        let refused = answers.filter { $0.status != 200 }
        #expect(answers.count == 121 && refused.map(\.status) == [429])
        #expect(refused.first?.body["error"]?["code"] == "rate_limited")
        #expect(refused.first?.number("Retry-After") ?? 0 >= 1)
        let passed = answers.filter { $0.status == 200 }
        #expect(passed.compactMap { $0.number("X-RateLimit-Remaining") }.sorted() == Array(0..<120))
        #expect(Set(answers.map { $0.number("X-RateLimit-Limit") }) == [120])
        let resets = Set(answers.compactMap { $0.number("X-RateLimit-Reset") })
        let reset = try #require(resets.first)
        #expect(resets.count == 1 && Double(reset) <= began + Double(Self.window) + 1)
        try await otherKey(of: buyer, replicas)
        // Asking too early would be refused, and counts for nothing.
        try await eventually(within: .seconds(40), "the moment of Reset", poll: .milliseconds(20)) {
            Date.now.timeIntervalSince1970 >= Double(reset)
        }
        let again = try await d1.b.ask("GET", "/api/v1/tasks")
        #expect(again.status == 200 && again.number("X-RateLimit-Remaining") == 119)
        try await replicas.stop()
    }

    /// A key of the same tenant has a window of its own, in which refused requests count too.
    private func otherKey(of buyer: Customer, _ replicas: Replicas) async throws {
        let d1r = replicas.credential(try await buyer.key(.tasksRead, mode: .test).a.key)
        let asked = [("/api/v1/tasks", 200), ("/api/v1/tasks/tsk_none", 404), ("/api/v1/tasks?limit=0", 400)]
        for (turn, (path, status)) in asked.enumerated() {
            let answer = try await d1r[turn].ask("GET", path)
            #expect(answer.status == status && answer.number("X-RateLimit-Remaining") == 119 - turn, "\(path)")
        }
    }
}

/// Two more API replicas of the same installation, with settings of their own.
private struct Replicas {
    private let processes: [FleetProcess]
    private let ports: [Int]

    static func start(_ house: Installation, _ settings: [String: String]) async throws -> Replicas {
        let ports = [freePort(), freePort()]
        let processes = try ports.map { try house.fleet.start("api", "--port", "\($0)", extra: settings) }
        for port in ports { try await house.ready(at: port) }
        return Replicas(processes: processes, ports: ports)
    }

    func credential(_ key: String) -> Credential { Credential(key: key, ports: ports) }

    func stop() async throws {
        for process in processes { try await process.stop() }
    }
}

extension Answer {
    fileprivate func number(_ header: String) -> Int? { headers.first(name: header).flatMap { Int($0) } }
}
