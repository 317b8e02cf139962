import Domain
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-31, T-21 to T-23: 500 twice, then a hang, then 200 are four attempts of one delivery; down for good fails, and is redelivered"
    )
    func webhookRetries() async throws {
        let scene = try #require(Scene.current)
        let customer = try await scene.house.customer(.enterprise)
        let key = try await customer.key(.readWrite, .webhooksWrite)
        var endpoints: [String: String] = [:]
        for path in ["recovers", "down", "ok"] {
            endpoints[path] = try await scene.endpoint(
                "/\(path)/\(customer.id)",
                of: key,
                events: ["engagement.started"]
            )
        }
        _ = try await key.a.startRun(tasks: [.task("a", 10, 0.01)])
        try await eventually(within: .seconds(10), "the healthy endpoint to have its copy at once") {
            scene.posts("/ok/\(customer.id)").count == 1
        }
        let ids = endpoints
        try await eventually(within: .seconds(30), "the delivery to what is down to have failed") {
            try await Self.delivery(to: ids["down"], key)?["status"] == "failed"
        }
        let down = "/down/\(customer.id)"
        #expect(scene.posts(down).count == 4)
        let failed = try #require(try await Self.delivery(to: ids["down"], key)?["id"]?.stringValue)
        try scene.repairHook()
        #expect(try await key.b.call("POST", "/api/v1/webhook-deliveries/\(failed)/redeliver").status == 200)
        try await eventually(within: .seconds(30), "the redelivery") {
            try await Self.delivery(to: ids["down"], key)?["status"] == "delivered"
        }
        try await eventually(within: .seconds(60), "the fourth attempt to arrive") {
            try await Self.delivery(to: ids["recovers"], key)?["status"] == "delivered"
        }
        #expect(try await Self.delivery(to: ids["recovers"], key)?["attempts"] == 4)
        let attempts = scene.posts("/recovers/\(customer.id)")
        let moments = attempts.compactMap { $0["at"].flatMap(Double.init) }
        let gaps = zip(moments, moments.dropFirst()).map { $1 - $0 }
        // The schedule is 0, 1, 2 and 4 s, give or take a tenth, and a hang is given up after 15 s.
        #expect(gaps.count == 3 && gaps[0] >= 0.9 && gaps[1] >= 1.8 && gaps[2] >= 15 + 3.6, "\(gaps)")
        for posts in [attempts, scene.posts(down)] {
            for name in ["webhook-id", "x-groundtruth-delivery", "body"] {
                #expect(Set(posts.map { $0[name] }).count == 1, "\(name)")
            }
        }
        #expect(scene.posts("/ok/\(customer.id)").count == 1)
    }

    private static func delivery(to endpoint: String?, _ key: Credential) async throws -> JSON? {
        let list = try await key.b.call("GET", "/api/v1/webhook-endpoints/\(endpoint ?? "")/deliveries")
        return list.body["data"]?.arrayValue?.first
    }
}
