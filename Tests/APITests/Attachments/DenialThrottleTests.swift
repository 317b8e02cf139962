import Domain
import Foundation
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("Tenants that look for a way into our network")
struct DenialThrottleTests {
    private static let hour = [RateTier.denied: RateLimit(count: 3, seconds: 3600)]

    private func post(_ house: FileHouse, _ url: String, key: String? = nil) async throws -> FileHouse.Reply {
        let id = try await engagement(house, key: key)
        let body = Array(JSON.object(["url": .string(url)]).text.utf8)
        return try await house.call("POST", "/api/engagements/\(id)/attachments/from-url", body, key: key)
    }

    private func engagement(_ house: FileHouse, key: String?) async throws -> String {
        let made = try await house.call("POST", "/api/engagements", Array(APIUnderTest.draft.utf8), key: key)
        return try #require(made.json["id"]?.stringValue)
    }

    @Test("A-25: after so many refused urls no url of the tenant is looked at for a while; another tenant's are")
    func throttled() async throws {
        try await FileHouse.run(limits: Self.hour) { house in
            // Mistakes are none.
            for text in ["nonsense", "ftp://example.com/", "http://u:p@example.com/"] {
                #expect(try await post(house, text).status == 400)
            }
            for text in ["http://127.0.0.1/", "http://2130706433/", "http://example.com:6379/"] {
                #expect(try await post(house, text).status == 400, "\(text)")
            }
            for text in ["http://10.0.0.1/", "http://example.com/"] {
                let reply = try await post(house, text)
                #expect(reply.status == 429, "\(text)")
                #expect(reply.error?.contains("led to what is not public") == true)
                let wait = try #require(reply.headers.first(name: "Retry-After").flatMap { Int($0) })
                #expect((3500...3600).contains(wait))
            }
            let hook = Array(#"{"url": "https://hooks.example.com/"}"#.utf8)
            let refused = try await house.call("POST", "/api/v1/webhook-endpoints", hook, key: try await hooks(house))
            #expect(refused.status == 429)
            let other = try await house.world.stores.accounts.createTenant(name: "O", plan: .enterprise)
            let key = try await house.world.stores.accounts.createKey(
                tenant: other.id,
                name: "k",
                scopes: [.readWrite],
                mode: .live
            )
            #expect(try await post(house, "http://10.0.0.1/", key: key?.plaintext).status == 400)
        }
    }

    /// A key of the house's tenant that may make webhook endpoints.
    private func hooks(_ house: FileHouse) async throws -> String? {
        try await house.world.stores.accounts.createKey(
            tenant: house.tenant,
            name: "hooks",
            scopes: [.webhooksWrite],
            mode: .live
        )?.plaintext
    }

    @Test("A-25: a url that a worker refused counts like one that its text gave away")
    func byWorker() async throws {
        try await FileHouse.run(limits: [.denied: RateLimit(count: 1, seconds: 3600)]) { house in
            async let reply = post(house, "http://redirect.example.com/")
            try await eventually(within: .seconds(20), "the job of the page") {
                // What a worker writes where a redirect leads inside.
                let ended: SQL = """
                    UPDATE jobs SET state = 'done', finished_at = now(), result = '{"refused": "url must lead to a public address"}'
                    WHERE kind = 'url.fetch' AND state = 'queued' RETURNING 1
                    """
                return try await house.world.postgres.query(ended).first != nil
            }
            #expect(try await reply.status == 400)
            #expect(try await post(house, "http://example.com/").status == 429)
        }
    }
}
