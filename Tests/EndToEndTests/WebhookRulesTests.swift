import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

/// What callers rely on when an endpoint changes, fails or is slow: real fleet, real TLS receiver.
@Suite("Rules of webhooks", .serialized)
struct WebhookRulesTests {
    private struct House {
        let fleet: FleetUnderTest
        let caller: Caller
        let receiver: WebhookReceiver
        let worker: FleetProcess

        /// Registers `path` of the receiver; returns id and secret.
        func endpoint(_ path: String) async throws -> (id: String, secret: String) {
            let body: JSON = ["url": .string("https://127.0.0.2:\(receiver.port)\(path)")]
            let made = try await caller.call("POST", "/api/v1/webhook-endpoints", body).body["data"]
            return (
                try #require(made?["id"]?.stringValue), try #require(made?["signing_secret"]?.stringValue)
            )
        }

        func test(_ id: String) async throws -> String {
            let answer = try await caller.call("POST", "/api/v1/webhook-endpoints/\(id)/test")
            return try #require(answer.body["data"]?["delivery_id"]?.stringValue, "\(answer.body.text)")
        }

        func delivery(_ id: String, of endpoint: String) async throws -> JSON? {
            let list = try await caller.call("GET", "/api/v1/webhook-endpoints/\(endpoint)/deliveries")
            return list.body["data"]?.arrayValue?.first { $0["id"]?.stringValue == id }
        }

        func isEnabled(_ id: String) async throws -> Bool? {
            let list = try await caller.call("GET", "/api/v1/webhook-endpoints")
            return list.body["data"]?.arrayValue?.first { $0["id"]?.stringValue == id }?["enabled"]?.boolValue
        }

        func number(_ sql: SQL) async throws -> Int {
            try await fleet.world.postgres.query(sql).first?.decode(Int.self) ?? -1
        }
    }

    private func with(schedule: String = "0,0,0", _ test: (House) async throws -> Void) async throws {
        let receiver = try await WebhookReceiver.start()
        defer { receiver.stop() }
        let fleet = try await FleetUnderTest(extra: [
            "GC_SECRET_KEY": Data(repeating: 7, count: 32).base64EncodedString(), "GC_NET_ALLOW": "127.0.0.2/32",
            "GC_WEBHOOK_CA_FILE": receiver.certificate, "GC_WEBHOOK_SCHEDULE": schedule,
            "GC_RATE_COLLECTION": "1000000/60",
        ])
        let port = freePort()
        let worker = try fleet.start("worker")
        let others = [try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler")]
        let caller = try await Caller.ready(fleet, port: port)
        let scope = Scope.webhooksWrite.rawValue
        _ = try await fleet.world.postgres.query("UPDATE api_keys SET scopes = scopes || \([scope])::text[]")
        try await test(House(fleet: fleet, caller: caller, receiver: receiver, worker: worker))
        for process in others + [worker] { try await process.stop() }
        await fleet.close()
    }

    /// Whether the Standard Webhooks library takes the delivery with this secret.
    private func verifies(_ post: [String: String], _ secret: String, _ receiver: WebhookReceiver) throws -> Bool {
        let script = """
            import json, sys
            from standardwebhooks import Webhook
            post = json.loads(sys.argv[1])
            try: Webhook(sys.argv[2].removeprefix('gt_')).verify(post['body'], post); print('yes')
            except Exception as error: print(error)
            """
        let words = String(decoding: try JSONEncoder().encode(post), as: UTF8.self)
        return try receiver.run(ScriptedServer.python, ["-c", script, words, secret]).hasPrefix("yes")
    }

    @Test(
        "T-20, T-23, S-22, S-24: after a rotation both secrets sign, by the library of Standard Webhooks; a redelivery has the same id and bytes",
        .enabled(if: ScriptedServer.hasPackages, "scripts/test-venv.sh installs standardwebhooks")
    )
    func rotation() async throws {
        try await with { house in
            let (id, old) = try await house.endpoint("/ok")
            let delivery = try await house.test(id)
            try await eventually(within: .seconds(20), "the first post") { house.receiver.posts("/ok").count == 1 }
            let rotated = try await house.caller.call("POST", "/api/v1/webhook-endpoints/\(id)/rotate-secret")
            let new = try #require(rotated.body["data"]?["signing_secret"]?.stringValue)
            #expect(new != old)
            try await eventually(within: .seconds(10), "the delivery to be booked") {
                try await house.delivery(delivery, of: id)?["status"] == "delivered"
            }
            let again = try await house.caller.call("POST", "/api/v1/webhook-deliveries/\(delivery)/redeliver")
            #expect(again.status == 200 && again.body["data"]?["status"] == "pending")
            try await eventually(within: .seconds(20), "the second post") { house.receiver.posts("/ok").count == 2 }
            let posts = house.receiver.posts("/ok")
            #expect(posts[0]["webhook-id"] == posts[1]["webhook-id"] && posts[0]["body"] == posts[1]["body"])
            #expect(posts[0]["x-groundtruth-delivery"] == posts[1]["x-groundtruth-delivery"])
            #expect(try verifies(posts[0], old, house.receiver) && !(try verifies(posts[0], new, house.receiver)))
            #expect(try verifies(posts[1], old, house.receiver) && (try verifies(posts[1], new, house.receiver)))
            #expect(posts[1]["x-groundtruth-signature-previous"] != nil)
            // A day later only the new one signs.
            _ = try await house.fleet.world.postgres.query("UPDATE webhook_endpoints SET old_secret_until = now()")
            _ = try await house.test(id)
            try await eventually(within: .seconds(20), "the third post") { house.receiver.posts("/ok").count == 3 }
            let last = house.receiver.posts("/ok")[2]
            #expect(try verifies(last, new, house.receiver) && !(try verifies(last, old, house.receiver)))
        }
    }

    @Test(
        "T-23, D-68: 410 disables at once, five days of failures too, and the owner gets one mail for each; enabling sends what was held"
    )
    func disabled() async throws {
        try await with(schedule: "0,600") { house in
            let gone = try await house.endpoint("/status/410").id
            _ = try await house.test(gone)
            try await eventually(within: .seconds(20), "410 to disable it") { try await house.isEnabled(gone) == false }
            let failing = try await house.endpoint("/status/500").id
            _ = try await house.test(failing)
            try await eventually(within: .seconds(20), "a failure to be booked") {
                try await house.number(
                    "SELECT count(*) FROM webhook_endpoints WHERE failing_since IS NOT NULL AND enabled"
                ) == 1
            }
            _ = try await house.fleet.world.postgres.query(
                "UPDATE webhook_endpoints SET failing_since = now() - interval '5 days 1 minute' WHERE id = \(failing)"
            )
            let held = try await house.test(failing)
            try await eventually(within: .seconds(20), "the fifth day to disable it") {
                try await house.isEnabled(failing) == false
            }
            let mails = try await house.fleet.world.stores.emails.list(tenant: nil, limit: 9)
            #expect(mails.map(\.template) == ["endpoint_disabled", "endpoint_disabled"])
            #expect(Set(mails.compactMap { $0.data["endpointId"]?.stringValue }) == [gone, failing])
            #expect(mails.allSatisfy { $0.status == .unsent && $0.recipient.hasPrefix("owner@") })
            #expect(mails.contains { $0.data["reason"] == "nothing but failures for 5 days" })
            let before = house.receiver.posts("/status/500").count
            _ = try await house.test(failing)
            let enabled = try await house.caller.call(
                "PATCH",
                "/api/v1/webhook-endpoints/\(failing)",
                ["enabled": true]
            )
            #expect(enabled.status == 200 && enabled.body["data"]?["failing_since"] == .null)
            try await eventually(within: .seconds(20), "what was held to be posted") {
                house.receiver.posts("/status/500").count > before
            }
            #expect(try await house.delivery(held, of: failing)?["attempts"]?.intValue ?? 0 > 0)
        }
    }

    @Test("O-6: an endpoint that is slow has two posts in flight at most, and all of its deliveries arrive once")
    func twoAtATime() async throws {
        try await with { house in
            let id = try await house.endpoint("/slow").id
            for _ in 0..<6 { _ = try await house.test(id) }
            try await eventually(within: .seconds(60), "all six") { house.receiver.posts("/slow/end").count == 6 }
            var inFlight = 0
            var most = 0
            for path in house.receiver.paths where path.hasPrefix("/slow") {
                inFlight += path == "/slow" ? 1 : -1
                most = max(most, inFlight)
            }
            #expect(most == 2 && house.receiver.posts("/slow").count == 6)
        }
    }

    @Test("SC-31: kill -9 of the worker while it posts: the same event and delivery come again, never with a new id")
    func killed() async throws {
        try await with { house in
            let id = try await house.endpoint("/slow").id
            let delivery = try await house.test(id)
            try await eventually(within: .seconds(20), "the post to be on its way") {
                house.receiver.posts("/slow").count == 1
            }
            house.worker.signal(SIGKILL)
            let heir = try house.fleet.start("worker")
            try await eventually(within: .seconds(60), "the delivery to be booked") {
                try await house.delivery(delivery, of: id)?["status"] == "delivered"
            }
            let posts = house.receiver.posts("/slow")
            #expect(posts.count == 2)
            for name in ["webhook-id", "x-groundtruth-delivery", "body"] {
                #expect(Set(posts.map { $0[name] }).count == 1, "\(name)")
            }
            try await heir.stop()
        }
    }
}

extension WebhookReceiver {
    /// The paths that were posted to, in their order, and `/slow/end` where one of those ended.
    var paths: [String] {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n")
            .compactMap { try? JSONDecoder().decode([String: String].self, from: Data($0.utf8))["path"] }
    }
}
