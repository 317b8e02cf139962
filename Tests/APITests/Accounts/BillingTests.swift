import Domain
import Foundation
import PostgresClient
import TestSupport
import Testing

@testable import API

@Suite("The plan, its limits and what was used")
struct BillingTests {
    @Test(
        "S-9: a starter sees plan, limits and use, with exactly the documented keys; a viewer may, a stranger may not"
    )
    func starter() async throws {
        try await APIUnderTest.run(plan: .starter) { api in
            #expect(try await api.post("/api/engagements", APIUnderTest.draft).status == 201)
            let viewer = try await api.member(.viewer)
            let reply = try await api.get("/api/billing", viewer.cookie)
            #expect(reply.status == 200)
            let expected: JSON = [
                "plan": "starter", "status": "active", "currentPeriodEnd": .null, "cancelAtPeriodEnd": false,
                "limits": [
                    "engagementsPerMonth": 5, "maxFileBytes": .integer(10 << 20), "maxTotalBytes": .integer(100 << 20),
                ],
                "usage": ["engagements": 1, "storageBytes": 0],
            ]
            #expect(reply.body == expected, "\(reply.text)")
            #expect(try await api.get("/api/billing", [:]).status == 401)
        }
    }

    @Test("S-9: without a subscription there is no plan, and nothing can be created")
    func none() async throws {
        try await APIUnderTest.run(plan: nil) { api in
            let billing = try await api.get("/api/billing").body
            #expect(billing["plan"] == .null && billing["status"] == "none")
            #expect(billing["limits"]?["engagementsPerMonth"] == 0)
        }
    }
}
