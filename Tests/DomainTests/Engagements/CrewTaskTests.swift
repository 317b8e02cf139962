import Domain
import Testing

@Suite("Tasks a caller configures")
struct CrewTaskTests {
    private func parse(_ json: JSON, simulation: Bool = false) throws(CrewTaskFault) -> [CrewTask] {
        try CrewTask.parse(json, knownAgents: AgentRoster.assignable, allowSimulation: simulation)
    }

    @Test("A bare string is a title, and without edges the tasks are a chain in the given order")
    func chain() throws {
        let tasks = try parse(["Market analysis", ["name": "Pricing"], ["title": "Summary", "id": "end"]])
        #expect(tasks.map(\.id) == ["market_analysis", "pricing", "end"])
        #expect(tasks.map(\.title) == ["Market analysis", "Pricing", "Summary"])
        #expect(tasks.map(\.dependsOn) == [[], ["market_analysis"], ["pricing"]])
    }

    @Test("One dependsOn anywhere makes the graph as given, even an empty one")
    func graph() throws {
        let tasks = try parse([["id": "a", "name": "A"], ["id": "b", "name": "B", "dependsOn": []]])
        #expect(tasks.allSatisfy { $0.dependsOn.isEmpty })
        let diamond = try parse([
            ["id": "d", "name": "D", "dependsOn": ["b", "c", "b"]], ["id": "b", "name": "B", "dependsOn": ["a"]],
            ["id": "c", "name": "C", "dependsOn": ["a"]], ["id": "a", "name": "A"],
        ])
        #expect(diamond[0].dependsOn == ["b", "c"])
    }

    @Test("Every field is read, null counts as absent, unknown keys are passed over")
    func fields() throws {
        let task = try #require(
            try parse([
                [
                    "id": "plan-1", "name": "  Plan  ", "description": "Do it.\nWell.", "agent": "chief_strategist",
                    "filename": "Der Plan.md", "rubric": "strategic", "expectedOutput": "A page", "model": "gpt-4.1",
                    "maxTokens": 900, "optional": true, "dependsOn": nil, "colour": "blue",
                ]
            ]).first
        )
        #expect(
            task
                == CrewTask(
                    id: "plan-1",
                    title: "Plan",
                    description: "Do it.\nWell.",
                    agent: "chief_strategist",
                    filename: "Der Plan.md",
                    rubric: .strategic,
                    expectedOutput: "A page",
                    model: "gpt-4.1",
                    maxTokens: 900,
                    optional: true
                )
        )
        #expect(try parse([["name": "A", "rubricType": "risk"]]).first?.rubric == .risk)
        #expect(try parse([]).isEmpty)
    }

    @Test("Ids made from titles never collide, neither with each other nor with given ones")
    func madeIDs() throws {
        let tasks = try parse(["Plan", "Plan", ["name": "X", "id": "plan_2"], "市場", "!"])
        #expect(tasks.map(\.id) == ["plan", "plan_3", "plan_2", "task_4", "task_5"])
        let edged = try parse(["Market size", ["name": "B", "dependsOn": ["market_size"]]])
        #expect(edged[1].dependsOn == ["market_size"])
    }

    @Test("simulate is honoured only where it is allowed; else it is an unknown key")
    func simulation() throws {
        let item: JSON = [
            ["name": "A", "simulate": ["ms": 300, "costUsd": 0.1, "steps": 3, "failTimes": 2, "fail": false]]
        ]
        #expect(try parse(item).first?.simulate == nil)
        let expected = Simulation(
            milliseconds: 300,
            cost: NanoUSD(nanos: 100_000_000),
            fail: false,
            steps: 3,
            failTimes: 2
        )
        #expect(try parse(item, simulation: true).first?.simulate == expected)
        #expect(try parse([["name": "A", "simulate": "yes"]]).count == 1)
        let asking: JSON = [
            ["name": "A", "simulate": ["delegate": [["to": "pricing_strategist", "question": "How much?"]]]]
        ]
        let question = DelegatedQuestion(to: "pricing_strategist", question: "How much?")
        #expect(try parse(asking, simulation: true).first?.simulate?.delegate == [question])
    }

    private static let long = String(repeating: "x", count: 121)

    static let refused: [(JSON, String)] = [
        ([:], "tasks: must be an array"),
        ("a", "tasks: must be an array"),
        (.array(Array(repeating: "T", count: 101)), "tasks: at most 100 tasks, got 101"),
        ([5], "tasks[0]: must be an object or a title"),
        (["A", nil], "tasks[1]: must be an object or a title"),
        ([[:]], "tasks[0].name: is required"),
        (["A", " "], "tasks[1].name: must not be empty"),
        ([["title": 5]], "tasks[0].title: must be a string"),
        ([["name": .string(String(repeating: "é", count: 201))]], "tasks[0].name: must be at most 200 characters"),
        (["a\nb"], "tasks[0].name: must not contain line breaks or control characters"),
        ([["name": "A", "id": ""]], "tasks[0].id: must be 1 to 64 letters, digits, \"_\" or \"-\""),
        ([["name": "A", "id": "a b"]], "tasks[0].id: must be 1 to 64 letters, digits, \"_\" or \"-\""),
        ([["name": "A", "id": 7]], "tasks[0].id: must be 1 to 64 letters, digits, \"_\" or \"-\""),
        ([["name": "A", "id": "a"], ["name": "B", "id": "a"]], "tasks[1].id: duplicate id \"a\""),
        ([["name": "A", "agent": "boss"]], "tasks[0].agent: unknown agent \"boss\""),
        ([["name": "A", "agent": "quality_observer"]], "tasks[0].agent: unknown agent \"quality_observer\""),
        (
            ["A", "B", ["name": "C", "dependsOn": ["x"]]],
            "tasks[2].dependsOn: unknown task \"x\""
        ),
        ([["name": "A", "dependsOn": "B"]], "tasks[0].dependsOn: must be an array of task ids"),
        ([["name": "A", "dependsOn": [1]]], "tasks[0].dependsOn: must be an array of task ids"),
        ([["name": "A", "id": "a", "dependsOn": ["a"]]], "tasks[0].dependsOn: a task cannot depend on itself"),
        (
            [
                ["name": "Z", "id": "z", "dependsOn": ["a"]], ["name": "A", "id": "a", "dependsOn": ["b"]],
                ["name": "B", "id": "b", "dependsOn": ["a"]],
            ],
            "tasks[1].dependsOn: cycle a → b → a"
        ),
        ([["name": "A", "filename": "a/b.md"]], "tasks[0].filename: must be a plain name without folders"),
        ([["name": "A", "filename": "a\\b"]], "tasks[0].filename: must be a plain name without folders"),
        (
            [["name": "A", "filename": "_run.md"]],
            "tasks[0].filename: must not begin with \"_\": such names are the system's own"
        ),
        ([["name": "A", "filename": ".."]], "tasks[0].filename: must not begin with a dot"),
        ([["name": "A", "filename": "a\u{7}"]], "tasks[0].filename: must not contain control characters"),
        ([["name": "A", "filename": ""]], "tasks[0].filename: must not be empty"),
        ([["name": "A", "filename": "a.md "]], "tasks[0].filename: must not begin or end with a space"),
        ([["name": "A", "filename": .string(long)]], "tasks[0].filename: must be at most 120 characters"),
        (
            [["name": "A", "id": "a", "filename": "x.md"], ["name": "B", "filename": "x.md"]],
            "tasks[1].filename: \"x.md\" is already written by task \"a\""
        ),
        (
            [["name": "A", "rubric": "nice"]],
            """
            tasks[0].rubric: unknown rubric "nice"; known are analytical, writing, strategic, quantitative, \
            operational, technical, risk, creative
            """
        ),
        (
            [["name": "A", "description": .string(String(repeating: "x", count: 20_001))]],
            "tasks[0].description: must be at most 20000 characters"
        ),
        ([["name": "A", "description": "a\u{0}b"]], "tasks[0].description: must not contain the character U+0000"),
        (
            [["name": "A", "expectedOutput": .string(String(repeating: "x", count: 5_001))]],
            "tasks[0].expectedOutput: must be at most 5000 characters"
        ),
        ([["name": "A", "model": ""]], "tasks[0].model: must not be empty"),
        ([["name": "A", "maxTokens": 0]], "tasks[0].maxTokens: must be a whole number from 1 to 128000"),
        ([["name": "A", "maxTokens": 1.5]], "tasks[0].maxTokens: must be a whole number from 1 to 128000"),
        ([["name": "A", "optional": "yes"]], "tasks[0].optional: must be true or false"),
        ([["name": "A", "simulate": 5]], "tasks[0].simulate: must be an object"),
        ([["name": "A", "simulate": ["ms": -1]]], "tasks[0].simulate.ms: must be a whole number from 0 to 600000"),
        (
            [["name": "A", "simulate": ["costUsd": "1"]]],
            "tasks[0].simulate.costUsd: must be a number from 0 to 100000"
        ),
        ([["name": "A", "simulate": ["fail": 1]]], "tasks[0].simulate.fail: must be true or false"),
        ([["name": "A", "simulate": ["steps": 0]]], "tasks[0].simulate.steps: must be a whole number from 1 to 10000"),
    ]

    @Test("What cannot be run is refused with the item and the reason", arguments: refused)
    func refusals(json: JSON, message: String) {
        #expect(throws: CrewTaskFault(message)) { try parse(json, simulation: true) }
    }

    @Test("A caller's words in a message are cut and stripped of control characters")
    func quoting() {
        let word = String(repeating: "ab\u{1B}", count: 100)
        let quoted = CrewTaskFault.quoted(word)
        #expect(quoted.unicodeScalars.count == 67 && quoted.hasSuffix("…\""))
        #expect(!quoted.unicodeScalars.contains("\u{1B}"))
    }

    @Test("A hundred tasks in a full graph are checked within the deadline of a request")
    func large() throws {
        let ids = (0..<100).map { "t\($0)" }
        let items = ids.indices.map { index -> JSON in
            ["id": .string(ids[index]), "name": "T", "dependsOn": .array(ids[..<index].map(JSON.string))]
        }
        let start = ContinuousClock.now
        #expect(try parse(.array(items.reversed())).count == 100)
        #expect(ContinuousClock.now - start < .seconds(2))
    }
}

@Suite("The roster")
struct AgentRosterTests {
    @Test("Every agent has a role, a department and a slug that log lines can carry")
    func agents() {
        #expect(AgentRoster.all.count == 20 && AgentRoster.assignable.count == 19)
        #expect(AgentRoster.all.allSatisfy { $0.slug.wholeMatch(of: /[a-z_]+/) != nil })
        #expect(AgentRoster.all.allSatisfy { !$0.role.isEmpty && !$0.department.isEmpty })
        #expect(AgentRoster.agent("nobody") == nil)
    }

    @Test("The weights of every rubric add up to a hundred", arguments: Rubric.allCases)
    func weights(rubric: Rubric) {
        #expect(rubric.criteria.count == 5)
        #expect(rubric.criteria.reduce(0) { $0 + $1.weight } == 100)
    }
}
