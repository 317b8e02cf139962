import Crew
import Domain
import Foundation
import Testing

@Suite("Reports of a run")
struct RunReportTests {
    private func call(
        _ task: String,
        attempt: Int = 1,
        cost: Int64,
        outcome: RunRecord.Call.Outcome = .settled,
        model: String = "gpt-4.1"
    ) -> RunRecord.Call {
        RunRecord.Call(
            task: task,
            step: 1,
            attempt: attempt,
            agent: "chief_strategist",
            provider: "openai",
            model: model,
            reason: .default,
            usage: ModelUsage(uncachedInput: 100, cacheRead: 50, output: 20),
            cost: NanoUSD(nanos: cost),
            outcome: outcome
        )
    }

    private var record: RunRecord {
        RunRecord(
            run: "crun",
            engagement: "Growth",
            client: "Acme | Sons",
            status: .failed,
            error: "Budget exceeded",
            startedAt: Timestamp(microseconds: 1_760_517_000_000_000),
            finishedAt: Timestamp(microseconds: 1_760_517_090_000_000),
            budget: NanoUSD(nanos: 5_000_000_000),
            plan: "Plan: 2 tasks",
            tasks: [
                .init(
                    id: "a",
                    title: "A | B",
                    agent: "chief_strategist",
                    status: .completed,
                    filename: "a.md",
                    version: 2,
                    words: 120,
                    score: 7.5
                ),
                .init(
                    id: "b",
                    title: "B",
                    agent: "executive_writer",
                    status: .failed,
                    dependsOn: ["a"],
                    filename: "b.md",
                    error: "line one\nline two"
                ),
            ],
            calls: [
                call("a", cost: 100_000_000), call("b", cost: 20_000_000, outcome: .unknown),
                call("b", attempt: 2, cost: 0, outcome: .failed, model: "gpt-4.1-mini"),
            ]
        )
    }

    @Test("Three documents, named so that they stay out of the client's report, the same bytes each time")
    func documents() {
        let documents = RunReport.documents(of: record)
        #expect(
            documents.map(\.filename) == [
                "_run_report_crun.json", "_operations_review_crun.md", "_library_entry_crun.md",
            ]
        )
        #expect(documents.allSatisfy { Deliverable.isSystem(filename: $0.filename) })
        #expect(documents == RunReport.documents(of: record))
    }

    @Test("The report has every call, and the sums are exact")
    func json() throws {
        let json = try JSON(parsing: Data(RunReport.documents(of: record)[0].content.utf8))
        #expect(json["totals"]?["costUsd"]?.doubleValue == 0.12)
        #expect(json["totals"]?["callsOfUnknownOutcome"]?.intValue == 1)
        #expect(json["totals"]?["tokens"]?["uncachedInput"]?.intValue == 300)
        #expect(json["calls"]?.arrayValue?.count == 3)
        let tasks = try #require(json["tasks"]?.arrayValue)
        #expect(tasks[0]["selectedModel"] == "gpt-4.1" && tasks[0]["agentRole"] == "Chief Strategist")
        #expect(tasks[1]["selectedModel"] == .null && tasks[1]["costUsd"]?.doubleValue == 0.02)
    }

    @Test("The operations review tells of unknown outcomes, repeated attempts and errors, and no text breaks a table")
    func review() {
        let text = RunReport.documents(of: record)[1].content
        #expect(text.contains("1 call of unknown outcome, charged at the reservation."))
        #expect(text.contains("Spent $0.12 of $5.00 in 3 calls.") && text.contains("took 90 s"))
        #expect(text.contains("- b: line one line two") && text.contains("- 1 of 3 calls were repeated attempts."))
        #expect(text.contains("| gpt-4.1-mini | default | 1 | 150 | 20 | $0.00 |"))
    }

    @Test("The library entry lists what was written, and what it builds on")
    func library() {
        let text = RunReport.documents(of: record)[2].content
        #expect(text.contains("| A \\| B | a.md | 2 | Chief Strategist | 120 | 7.5 |"))
        #expect(text.contains("- b builds on a") && text.contains("Written with: gpt-4.1."))
        #expect(!text.contains("$"))
    }

    @Test("A run that wrote nothing has reports too")
    func nothing() {
        var record = record
        record.tasks = []
        record.calls = []
        record.finishedAt = nil
        for document in RunReport.documents(of: record) { #expect(!document.content.isEmpty) }
    }
}
