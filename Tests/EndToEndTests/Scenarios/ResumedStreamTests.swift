import Domain
import TestSupport
import Testing

extension ScenarioTests {
    @Test(
        "SC-11, E-42, E-44 to E-48: a stream cut in the middle goes on at the other replica without gap or repeat, and its lines are the log's"
    )
    func resumedStream() async throws {
        let house = try #require(Scene.current).house
        let k1 = try await house.customer(.enterprise).key()
        // One after the other, two lines each: twenty lines a second.
        let tasks = (1...20).map { number -> JSON in
            number == 1 ? .task("t1", 100, 0.01) : .task("t\(number)", 100, 0.01, after: "t\(number - 1)")
        }
        let id = try await k1.a.create(.array(tasks))
        let run = try await k1.a.start(id)
        async let third = k1.a.stream(id).read()
        async let paged = pages(of: id, k1.b)
        let first = try await k1.a.stream(id).read { $0.seqs.count >= 30 }
        let second = try await k1.b.stream(id, since: try #require(first.events.last?.id)).read()
        let whole = try await third
        #expect(!first.ended && second.ended && whole.ended)
        let events = first.events + second.events
        #expect(events.map(\.id) == (1...events.count).map { "\(run)-\($0)" })
        #expect(whole.events == events)
        #expect(Set(events.compactMap(\.type)) == ["status", "cost", "log", "task_complete"])
        #expect(events.last?.data?["status"] == "completed")
        for answer in [first, second, whole] { form(of: answer) }
        let over = try await k1.a.stream(id, since: whole.events.last?.id).read()
        #expect(over.status == 204 && over.text.isEmpty)
        try await compare(try await paged, events, id, k1)
    }

    /// E-45, E-46: what a browser's EventSource needs of the head and of each block.
    private func form(of answer: EventAnswer) {
        #expect(answer.status == 200 && answer.headers["content-type"] == "text/event-stream")
        #expect(answer.headers["cache-control"] == "no-store" && answer.blocks.first?.lines == ["retry: 3000"])
        for block in answer.blocks where block.lines != ["retry: 3000"] && block.lines != [":"] {
            #expect(block.lines.count == 2 && block.lines[0].hasPrefix("id: ") && block.lines[1].hasPrefix("data: "))
            #expect(block.type != nil && block.data?["timestamp"]?.stringValue != nil, "\(block.lines)")
        }
        #expect(!answer.text.split(separator: "\n").contains { $0.hasPrefix("event:") })
    }

    /// Reads the log by offset while it grows, until the run is over and no line is left.
    private func pages(of id: String, _ caller: Caller) async throws -> [String] {
        var lines: [String] = []
        try await eventually(within: .seconds(60), "the end of the log", poll: .milliseconds(50)) {
            let page = try await caller.call("GET", "/api/engagements/\(id)/logs?offset=\(lines.count)").body
            let more = page["logs"]?.arrayValue?.compactMap(\.stringValue) ?? []
            lines += more
            return more.isEmpty && page["status"] == "completed" && page["total"]?.intValue == lines.count
        }
        return lines
    }

    private func compare(_ lines: [String], _ events: [EventBlock], _ id: String, _ key: Credential) async throws {
        let logs = events.compactMap { $0.type == "log" ? $0.data : nil }
        #expect(lines == logs.map { "\($0["timestamp"]?.stringValue ?? "") \($0["message"]?.stringValue ?? "")" })
        #expect(lines.allSatisfy { $0.wholeMatch(of: /\d{4}-.*Z \[[a-z_]+\] .*/) != nil })
        #expect(try await key.a.logs(of: id) == lines)
        let path = "/api/engagements/\(id)/logs?offset="
        for offset in ["-1", "x", "1.5"] {
            let answer = try await key.b.call("GET", path + offset)
            #expect(answer.status == 400 && answer.body == ["error": "offset must be a non-negative integer"])
        }
        let beyond = try await key.b.call("GET", path + "\(lines.count + 100)")
        #expect(beyond.status == 200 && beyond.body["logs"] == [])
        #expect(beyond.body["total"]?.intValue == lines.count)
    }
}
