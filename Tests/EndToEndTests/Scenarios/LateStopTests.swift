import Domain
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-07, E-32, E-60: thirty stops aimed at the end of a task: each beats it or loses to it, and is told so once, never both"
    )
    func lateStop() async throws {
        let scene = try #require(Scene.current)
        let t1 = try await scene.house.customer(.enterprise)
        try await scene.hear(t1)
        let k1 = try await t1.key()
        var ends: [String: String] = [:]
        for wave in 0..<5 {
            let stopped = try await atOnce(6) { turn in try await stop(at: 245 + 3 * (6 * wave + turn), turn, k1) }
            for (run, status) in stopped { ends[run] = status }
        }
        #expect(ends.count == 30)
        let told = try await scene.heard(60, of: t1)
        #expect(told.count { $0.type == "engagement.started" } == 30)
        let last = told.filter { $0.type != "engagement.started" }
        #expect(last.count == 30)
        for event in last { #expect(event.type == "engagement.\(ends[event.run ?? ""] ?? "?")") }
        #expect(Set(last.compactMap(\.run)) == Set(ends.keys))
        try await scene.house.fleet.checkBooks()
    }

    /// Runs one task of 300 ms and stops it after so many; returns how the run ended.
    private func stop(
        at milliseconds: Int,
        _ turn: Int,
        _ key: Credential
    ) async throws -> (run: String, status: String) {
        let id = try await key[turn].create([.task("a", 300, 0.1)])
        let run = try await key[turn].start(id)
        _ = try await key[turn].stream(id).read { $0.text.contains("Starting task: a") }
        // Not a wait: the stop is aimed at the moment of the end.
        try await Task.sleep(for: .milliseconds(milliseconds))
        let stop = try await key[turn + 1].call("POST", "/api/engagements/\(id)/stop")
        let isFirst = stop.status == 200
        let status = isFirst ? "failed" : "completed"
        if !isFirst { #expect(stop.status == 409 && stop.body == ["error": "Engagement is not running"]) }
        try await key[turn].wait(id, for: status)
        let ended = try #require(try await key[turn].run(of: id))
        #expect(ended["id"]?.stringValue == run && ended["status"]?.stringValue == status)
        #expect(ended["error"]?.stringValue == (isFirst ? "Stopped by user" : nil))
        let events = try await key[turn + 1].stream(id).read().events.compactMap { $0.data?["status"]?.stringValue }
        #expect(events == ["running", status])
        return (run, status)
    }
}
