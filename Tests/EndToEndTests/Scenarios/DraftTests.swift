import Domain
import PostgresClient
import Stores
import TestSupport
import Testing

extension ScenarioTests {
    @Test("SC-16, E-2, E-6 to E-8, E-12, E-13: what a create takes, what it answers, and that it causes nothing else")
    func drafts() async throws {
        let scene = try #require(Scene.current)
        let t1 = try await scene.house.customer(.enterprise)
        try await scene.hear(t1)
        let k1 = try await t1.key()
        let plain = try await k1.b.ask("POST", "/api/engagements", Self.draft([:]).text)
        #expect(plain.status == 201 && plain.body["budget"]?.doubleValue == 5 && plain.body["tasks"] == [])
        let tasks: JSON = [
            ["id": "a", "title": "A", "colour": "blue", "nested": ["x": [1, nil, "y"]]],
            ["id": "b", "title": "B", "dependsOn": ["a"]],
        ]
        let made = try await k1.a.ask("POST", "/api/engagements", Self.draft(["tasks": tasks]).text).body
        #expect(Set(made.objectValue?.keys.map(\.self) ?? []) == Self.engagementKeys)
        #expect(made["slug"] == "go-to-market-strategy" && made["status"] == "pending" && made["tasks"] == tasks)
        #expect(made["tenantId"]?.stringValue == t1.id.rawValue)
        try await refusals(k1)
        #expect(try await k1.a.call("GET", "/api/engagements").body.arrayValue?.count == 2)
        for table in ["events", "emails", "webhook_deliveries"] {
            let count = try await scene.house.fleet.number(
                "SELECT count(*) FROM \(clause: SQL(trusted: table)) WHERE tenant_id = \(t1.id)"
            )
            #expect(count == 0, "\(table)")
        }
        #expect(try await scene.house.fleet.world.count("tenant = \(t1.id)") == 0)
        #expect(scene.told(t1).isEmpty)
    }

    static let engagementKeys: Set = [
        "id", "tenantId", "name", "client", "slug", "brief", "budget", "tasks", "status", "createdAt",
    ]

    /// - Parameter changes: members to set; null leaves one out.
    private static func draft(_ changes: [String: JSON]) -> JSON {
        let whole: [String: JSON] = ["name": "Go To Market  Strategy!", "client": "C", "brief": "B"]
        return .object(whole.merging(changes) { $1 }.filter { $0.value != .null })
    }

    private func refusals(_ key: Credential) async throws {
        for member in ["name", "client", "brief"] {
            for (turn, value) in [JSON.null, "  ", 5].enumerated() {
                let answer = try await key[turn].ask("POST", "/api/engagements", Self.draft([member: value]).text)
                #expect(answer.status == 400, "\(member) \(value.text)")
                #expect(answer.body == ["error": "Name, client, and brief are required"])
            }
        }
        let faults: [(tasks: JSON, error: String)] = [
            ([:], "tasks: must be an array"),
            ([["id": "a", "title": "A"], ["id": "a", "title": "B"]], #"tasks[1].id: duplicate id "a""#),
            ([["id": "a", "title": "A", "dependsOn": ["x"]]], #"tasks[0].dependsOn: unknown task "x""#),
            (
                [["id": "a", "title": "A", "dependsOn": ["b"]], ["id": "b", "title": "B", "dependsOn": ["a"]]],
                "tasks[0].dependsOn: cycle a → b → a"
            ),
        ]
        for (turn, fault) in faults.enumerated() {
            let answer = try await key[turn].ask("POST", "/api/engagements", Self.draft(["tasks": fault.tasks]).text)
            #expect(answer.status == 400 && answer.body == ["error": .string(fault.error)])
        }
        for (turn, body) in ["[", "[]", #""x""#].enumerated() {
            let answer = try await key[turn].ask("POST", "/api/engagements", body)
            #expect(answer.status == 400 && answer.body["error"]?.stringValue?.isEmpty == false, "\(body)")
        }
    }
}
