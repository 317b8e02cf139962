import Crew
import Domain
import Foundation
import Testing

@Suite("Planned tasks in the ledger")
struct PlannedTaskTests {
    @Test("A stored task reads back as it was written")
    func roundTrip() throws {
        let task = PlannedTask(
            id: "a",
            title: "A",
            description: "Do",
            agentSlug: "chief_strategist",
            rubric: .strategic,
            dependsOn: ["b"],
            filename: "a.md",
            optional: true,
            expectedOutput: "A page",
            model: "m",
            maxTokens: 100,
            simulate: Simulation(milliseconds: 1, cost: NanoUSD(nanos: 5), fail: true, steps: 2, failTimes: 3)
        )
        let data = try JSONEncoder().encode(task)
        #expect(try JSONDecoder().decode(PlannedTask.self, from: data) == task)
    }

    @Test("A task stored today can always be read: these keys and words never change")
    func golden() throws {
        let text = """
            {"id":"a","title":"A","description":"","agentSlug":"executive_writer","rubric":"writing","dependsOn":[],\
            "filename":"a.md","optional":false,"simulate":{"ms":300,"costNanos":100000000,"fail":false,"steps":1,\
            "failTimes":0}}
            """
        let task = try JSONDecoder().decode(PlannedTask.self, from: Data(text.utf8))
        #expect(task.simulate == Simulation(milliseconds: 300, cost: NanoUSD(nanos: 100_000_000)))
        #expect(task.tier == .large && task.outputLimit == 4_096)
    }
}
