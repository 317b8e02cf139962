import Domain
import TestSupport
import Testing

extension ScenarioTests {
    private static let draft = #"{"name":"N","client":"C","brief":"B"}"#

    @Test(
        "SC-09, E-9 to E-11: of twelve creates at once over two replicas one gets the month's last place; a delete gives none back"
    )
    func monthlyLimit() async throws {
        let house = try #require(Scene.current).house
        let k2 = try await house.customer(.starter).key()
        let made = try await fill(4, k2)
        let answers = try await atOnce(12) { try await k2[$0].ask("POST", "/api/engagements", Self.draft) }
        #expect(answers.count { $0.status == 201 } == 1)
        let refused = answers.filter { $0.status == 403 }
        #expect(refused.count == 11)
        #expect(refused.allSatisfy { $0.body == ["error": "Monthly engagement limit reached (5/5)"] })
        #expect(try await k2.a.call("GET", "/api/engagements").body.arrayValue?.count == 5)
        #expect(try await k2.b.call("DELETE", "/api/engagements/\(made[0])").status == 200)
        for replica in [k2.a, k2.b] {
            let answer = try await replica.ask("POST", "/api/engagements", Self.draft)
            #expect(answer.status == 403)
            #expect(answer.body == ["error": "Monthly engagement limit reached (5/5)"])
        }
        let kn = try await house.customer(nil).key()
        let without = try await kn.a.ask("POST", "/api/engagements", Self.draft)
        #expect(without.status == 403 && without.body == ["error": "Active subscription required"])
        let k3 = try await house.customer(.professional).key()
        _ = try await fill(25, k3)
        let over = try await k3.b.ask("POST", "/api/engagements", Self.draft)
        #expect(over.status == 403 && over.body == ["error": "Monthly engagement limit reached (25/25)"])
    }

    /// One after the other, in turn over the replicas.
    private func fill(_ count: Int, _ key: Credential) async throws -> [String] {
        var ids: [String] = []
        for turn in 0..<count { ids.append(try await key[turn].create()) }
        return ids
    }
}
