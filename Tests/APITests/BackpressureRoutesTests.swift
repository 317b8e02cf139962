import Domain
import HTTPTypes
import PostgresClient
import Queue
import TestSupport
import Testing

@testable import API

@Suite("Backpressure: what callers hear while too much waits")
struct BackpressureRoutesTests {
    private func engagement(_ api: APIUnderTest) async throws -> String {
        let draft = #"{"name":"N","client":"C","brief":"B","budget":5}"#
        return try #require(try await api.post("/api/engagements", draft).body["id"]?.stringValue)
    }

    private func status(_ api: APIUnderTest, _ id: String) async throws -> String? {
        try await api.get("/api/engagements/\(id)/status").body["status"]?.stringValue
    }

    private func fill(_ api: APIUnderTest) async throws {
        let job = NewJob(kind: "k", queue: "crew", tenant: api.tenant.rawValue)
        _ = try await api.world.queue.enqueue([job])
    }

    @Test(
        "A tenant with too much waiting gets 429 with Retry-After, nothing is begun, and what it cannot start stays 404"
    )
    func tenant() async throws {
        try await APIUnderTest.run { api in
            let id = try await engagement(api)
            try await fill(api)
            let limit = QueueLimit(queue: "crew", tenant: api.tenant.rawValue, waiting: 1)
            _ = try await api.world.postgres.query(Ledger.set(limit))
            let refused = try await api.post("/api/engagements/\(id)/run")
            #expect(refused.status == 429, "\(refused.text)")
            #expect(
                refused.body["error"]?.stringValue?.hasPrefix("1 of your jobs wait in the crew queue, and 1 may.")
                    == true
            )
            #expect((1...300).contains(refused.number("Retry-After") ?? 0))
            #expect(try await status(api, id) == "pending")
            #expect(try await api.post("/api/engagements/unknown/run").status == 404)
            _ = try await api.world.postgres.query(Ledger.removeLimit(queue: "crew", tenant: api.tenant.rawValue))
            #expect(try await api.post("/api/engagements/\(id)/run").status == 200)
        }
    }

    @Test("O-2: a full crew queue is an engine that refuses: 502, and run and engagement are failed")
    func queue() async throws {
        try await APIUnderTest.run { api in
            let id = try await engagement(api)
            try await fill(api)
            _ = try await api.world.postgres.query(Ledger.set(QueueLimit(queue: "crew", waiting: 1)))
            let refused = try await api.post("/api/engagements/\(id)/run")
            #expect(refused.status == 502)
            #expect(refused.body["error"]?.stringValue == "Engine error: the crew queue is full")
            #expect(try await status(api, id) == "failed")
        }
    }

    @Test("Elsewhere a full queue is 503 with Retry-After, and a code for the collection family")
    func envelope() {
        let overload = Overload(queue: "export", whose: .queue, waiting: 9, cap: 8, retryAfter: 12)
        let response = APIError(overload).response(for: .plain)
        #expect(response.status.code == 503)
        #expect(response.headers[.retryAfter] == "12")
        #expect(APIError(overload).code == "internal")
    }
}
