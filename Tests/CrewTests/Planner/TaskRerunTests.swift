import Crew
import Domain
import Foundation
import Testing

@Suite("A task that is done again")
struct TaskRerunTests {
    private var task: PlannedTask {
        PlannedTask(
            id: "market",
            title: "Market",
            description: "Size it.",
            agentSlug: "market_analyst",
            rubric: .analytical,
            filename: "market.md"
        )
    }

    @Test("S-33: its agent is told what the client asks for, once, and that the version before is there")
    func told() {
        var task = task
        #expect(task.asTold == task)
        task.rerun = TaskRerun(document: "c1", feedback: "Shorter, please.")
        let told = task.asTold.description
        #expect(told.hasPrefix("Size it.\n") && told.hasSuffix("The client has read it and asks: Shorter, please."))
        #expect(told.contains("\"Market, the version before\""))
        task.rerun = TaskRerun(document: "c2", feedback: nil)
        #expect(task.asTold.description.hasSuffix("Write a better one."))
        #expect(!task.asTold.description.contains("Shorter"))
    }

    @Test("A plan that was stored before reruns still reads, and one with a rerun survives the ledger")
    func stored() throws {
        var task = task
        let old = try JSONEncoder().encode(task)
        #expect(!String(decoding: old, as: UTF8.self).contains("rerun"))
        #expect(try JSONDecoder().decode(PlannedTask.self, from: old) == task)
        task.rerun = TaskRerun(document: "c1", feedback: "x")
        #expect(try JSONDecoder().decode(PlannedTask.self, from: JSONEncoder().encode(task)) == task)
    }
}
