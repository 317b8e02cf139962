import Domain
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

/// What analytics and scores show of an engagement, one document of which was made anew.
@Suite("Views after a rerun, API")
struct RerunViewsTests {
    /// A task that was done and scored.
    private func add(
        _ task: String,
        scored tenths: Int,
        at position: Int,
        to run: Run.ID,
        of house: LiveHouse
    ) async throws {
        let row = RunLedger.TaskRow(id: task, agent: "chief_strategist", config: "{}", dependsOn: [], optional: false)
        _ = try await house.world.postgres.pipeline([
            RunLedger.addTasks([row], to: run),
            """
            UPDATE run_tasks SET model = 'm', steps = 1, position = \(position)
            WHERE run_id = \(run) AND task_id = \(task)
            """,
            RunLedger.keepScore(
                tenths: tenths,
                rubric: .analytical,
                feedback: "F",
                judge: "heuristic",
                task: task,
                of: run
            ),
        ])
    }

    private func rerun(_ id: Engagement.ID, of house: LiveHouse) async throws -> Run.ID {
        let run = try await house.start(id)
        _ = try await house.world.postgres.query(
            "UPDATE runs SET kind = 'rerun', rerun_of = 'cdocument' WHERE id = \(run)"
        )
        return run
    }

    private func scores(_ body: JSON) -> [String] {
        (body["scores"]?.arrayValue ?? []).map { score in
            "\(score["taskName"]?.stringValue ?? "") \(score["score"]?.doubleValue ?? -1)"
        }
    }

    @Test(
        "E-50, E-54, D-27: analytics stay those of the whole run, the newer score takes the older one's place, until all is run again"
    )
    func merged() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let whole = try await house.start(id)
        try await add("a", scored: 80, at: 1, to: whole, of: house)
        try await add("b", scored: 50, at: 2, to: whole, of: house)
        try await house.finish(whole)
        let again = try await rerun(id, of: house)
        try await add("a", scored: 91, at: 1, to: again, of: house)
        try await house.finish(again)
        try await house.serve(house.world) { port, _ in
            let routing = try await house.get(port, "/api/engagements/\(id)/analytics").body["modelRouting"]
            #expect(routing?.arrayValue?.map { $0["taskId"] } == ["a", "b"])
            let quality = try await house.get(port, "/api/engagements/\(id)/quality").body
            #expect(scores(quality) == ["a 9.1", "b 5.0"])
            #expect(quality["averageScore"]?.doubleValue == 7.1)
            #expect(quality["runId"]?.stringValue == again.rawValue, "the latest run, word for word")
            let next = try await house.start(id)
            let empty = try await house.get(port, "/api/engagements/\(id)/quality").body
            #expect(empty == ["runId": .string(next.rawValue), "averageScore": .null, "scores": []])
        }
        await house.world.close()
    }

    @Test("E-54: where no whole run is completed, a rerun that is completed is the latest one there is")
    func alone() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let whole = try await house.start(id)
        try await add("a", scored: 80, at: 1, to: whole, of: house)
        try await house.finish(whole, as: .failed)
        let again = try await rerun(id, of: house)
        try await add("a", scored: 91, at: 1, to: again, of: house)
        try await house.finish(again)
        try await house.serve(house.world) { port, _ in
            let routing = try await house.get(port, "/api/engagements/\(id)/analytics").body["modelRouting"]
            #expect(routing?.arrayValue?.map { $0["observerScore"] } == [9.1])
        }
        await house.world.close()
    }
}
