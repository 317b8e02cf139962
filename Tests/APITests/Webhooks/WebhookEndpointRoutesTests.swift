import Domain
import Foundation
import HTTPTypes
import PostgresClient
import TestSupport
import Testing

@testable import API

/// Endpoints for webhooks, as their owner sees them.
@Suite("Webhook endpoints API")
struct WebhookEndpointRoutesTests {
    private static let path = "/api/v1/webhook-endpoints"

    private func make(_ api: APIUnderTest, _ url: String) async throws -> String {
        let body = JSON.object(["url": .string(url)]).text
        let made = try await api.post(Self.path, body, api.bearer(api.collectionKey))
        #expect(made.status == 201, "\(made.text)")
        return made.body["data"]?["id"]?.stringValue ?? ""
    }

    @Test(
        "S-20: the list has exactly the documented keys, the newest first, and no secret; a key without the scope is 403"
    )
    func list() async throws {
        try await APIUnderTest.run { api in
            let ids = [try await make(api, "https://example.com/a"), try await make(api, "https://example.com/b")]
            let reply = try await api.get(Self.path, api.bearer(api.collectionKey))
            let rows = try #require(reply.body["data"]?.arrayValue)
            #expect(Set(rows.compactMap { $0["id"]?.stringValue }) == Set(ids))
            let keys: Set = ["id", "url", "enabled", "events", "created_at", "failing_since"]
            #expect(rows.allSatisfy { Set($0.objectValue?.keys.map(\.self) ?? []) == keys })
            #expect(rows.allSatisfy { $0["enabled"] == true && $0["events"] == ["*"] && $0["failing_since"] == .null })
            #expect(!reply.text.contains("whsec"))
            #expect(try await api.get(Self.path).status == 403)
        }
    }

    @Test("S-21: PATCH changes what it names; DELETE takes pending deliveries along; a stranger's endpoint is unknown")
    func change() async throws {
        try await APIUnderTest.run { api in
            let id = try await make(api, "https://example.com/a")
            let headers = api.bearer(api.collectionKey)
            let patch: (String) async throws -> Reply = { body in
                try await api.servers[0](.patch, "\(Self.path)/\(id)", body, headers)
            }
            let closed = try await patch(#"{"enabled":false}"#)
            #expect(
                closed.status == 200 && closed.body["data"]?["enabled"] == false
                    && closed.body["data"]?["events"] == ["*"]
            )
            let chosen = try await patch(#"{"events":["deliverable.ready","quality.scored"]}"#)
            #expect(chosen.body["data"]?["events"] == ["deliverable.ready", "quality.scored"])
            #expect(chosen.body["data"]?["enabled"] == false)
            for body in [#"{"events":["nothing.happened"]}"#, #"{"events":[]}"#, #"{"enabled":"yes"}"#] {
                #expect(try await patch(body).status == 400, "\(body)")
            }
            #expect(try await patch(#"{"enabled":true}"#).body["data"]?["enabled"] == true)
            #expect(try await api.post("\(Self.path)/\(id)/test", "{}", headers).status == 200)
            #expect(try await api.servers[0](.delete, "\(Self.path)/whe_none", nil, headers).status == 404)
            let gone = try await api.servers[0](.delete, "\(Self.path)/\(id)", nil, headers)
            #expect(gone.status == 200 && gone.body == ["data": ["id": .string(id), "deleted": true]])
            let left = try await api.world.postgres.query("SELECT 1 FROM webhook_deliveries WHERE status = 'pending'")
            #expect(left.count == 0)
            #expect(try await patch(#"{"enabled":true}"#).status == 404)
        }
    }

    @Test(
        "S-23: deliveries have exactly the documented keys, the newest first, at most 100; an unknown endpoint is 404"
    )
    func deliveries() async throws {
        try await APIUnderTest.run { api in
            let id = try await make(api, "https://example.com/a")
            let headers = api.bearer(api.collectionKey)
            for _ in 0..<2 { #expect(try await api.post("\(Self.path)/\(id)/test", "{}", headers).status == 200) }
            let rows = try #require(
                try await api.get("\(Self.path)/\(id)/deliveries", headers).body["data"]?.arrayValue
            )
            let keys: Set = [
                "id", "event_id", "type", "status", "attempts", "last_status", "next_attempt_at", "delivered_at",
                "created_at",
            ]
            #expect(rows.count == 2 && rows.allSatisfy { Set($0.objectValue?.keys.map(\.self) ?? []) == keys })
            #expect(
                rows.allSatisfy { $0["type"] == "endpoint.test" && $0["status"] == "pending" && $0["attempts"] == 0 }
            )
            _ = try await api.world.postgres.pipeline([
                """
                INSERT INTO events (id, tenant_id, type, dedupe_key, body)
                SELECT 'evt_' || n, \(api.tenant), 'endpoint.test', 'k' || n, '' FROM generate_series(1, 120) n
                """,
                """
                INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, created_at)
                SELECT 'whd_' || n, \(api.tenant), \(id), 'evt_' || n, now() + n * interval '1 second'
                FROM generate_series(1, 120) n
                """,
            ])
            let many = try await api.get("\(Self.path)/\(id)/deliveries", headers).body["data"]?.arrayValue
            #expect(many?.count == 100 && many?.first?["id"] == "whd_120")
            #expect(try await api.get("\(Self.path)/whe_none/deliveries", headers).status == 404)
        }
    }
}
