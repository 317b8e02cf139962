import Domain
import Embedded
import Foundation
import PostgresClient
import Queue
import RedisClient
import Stores
import TestSupport
import Testing

@testable import API

/// The live stream on real sockets, real Postgres and real Redis.
@Suite("Live stream")
struct StreamRoutesTests {
    @Test("E-45, E-46, E-48: a finished run is told whole, one unnamed data line with an id per event, then the end")
    func shape() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let run = try await house.start(id)
        try await house.append([.log(agent: "chief_strategist", "Hello"), .taskComplete("a")], to: run)
        _ = try await house.world.postgres.query("UPDATE runs SET spent_nanos = 450000000 WHERE id = \(run)")
        try await house.append([.cost], to: run)
        try await house.finish(run)
        try await house.serve(house.world) { port, _ in
            let answer = try await house.stream(port, id).read()
            #expect(answer.status == 200 && answer.ended)
            #expect(answer.headers["content-type"] == "text/event-stream")
            #expect(answer.headers["cache-control"] == "no-store")
            #expect(answer.blocks.first?.lines == ["retry: 3000"])
            #expect(!answer.text.contains("event:"))
            #expect(answer.events.allSatisfy { $0.lines.count == 2 && $0.data?["timestamp"]?.stringValue != nil })
            #expect(answer.events.map(\.id) == (1...5).map { "\(run)-\($0)" })
            #expect(answer.events.map(\.type) == ["status", "log", "task_complete", "cost", "status"])
            #expect(answer.events[0].data?["status"] == "running" && answer.events[4].data?["status"] == "completed")
            #expect(answer.events[1].data?["message"] == "[chief_strategist] Hello")
            #expect(answer.events[2].data?["taskId"] == "a")
            #expect(answer.events[3].data?["estimated_cost"]?.doubleValue == 0.45)
            let time = answer.events[0].data?["timestamp"]?.stringValue ?? ""
            #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)

            let again = try await house.stream(port, id, since: "\(run)-5").read()
            #expect(again.status == 204 && again.text.isEmpty)
            #expect(try await house.stream(port, id, since: "\(run)-3").read().seqs == [4, 5])
        }
        await house.world.close()
    }

    @Test(
        "E-47, SC-11: a cut at 20 lines a second, resumed on another replica, has no gap and no repeat, over a FLUSHALL"
    )
    func resume() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let house = try await LiveHouse.open(redisURL: redis.url)
        let other = try await World.on(house.world.databaseURL, like: house.world)
        let id = try await house.engagement()
        let run = try await house.start(id)
        let writing = Task {
            for line in 1...60 {
                try await house.append([.log(agent: "engagement_manager", "line \(line)")], to: run)
                if line == 30 { _ = try await house.world.redis.send(["FLUSHALL"]) }
                try await Task.sleep(for: .milliseconds(50))
            }
            try await house.append([.taskComplete("t"), .cost], to: run)
            try await house.finish(run)
        }
        try await house.serve(house.world) { portA, _ in
            try await house.serve(other) { portB, _ in
                async let whole = house.stream(portB, id).read()
                let first = try await house.stream(portA, id).read { $0.seqs.count >= 20 }
                let last = try #require(first.events.last?.id)
                let second = try await house.stream(portB, id, since: last).read()
                #expect(first.seqs + second.seqs == Array(1...64))
                #expect(second.ended && second.events.last?.data?["status"] == "completed")
                let third = try await whole
                #expect(third.events == first.events + second.events)
                #expect(Set(third.events.compactMap(\.type)) == ["status", "log", "task_complete", "cost"])
                try await compareLogs(house, portA, id, third)
            }
        }
        try await writing.value
        await other.close()
        await house.world.close()
        await redis.stop()
    }

    /// E-42, E-44: pages by offset give every line once, and they are the stream's lines.
    private func compareLogs(_ house: LiveHouse, _ port: Int, _ id: Engagement.ID, _ told: EventAnswer) async throws {
        var lines: [String] = []
        while true {
            let page = try await house.get(port, "/api/engagements/\(id)/logs?offset=\(lines.count)")
            #expect(page.body["total"] == 60)
            guard let more = page.body["logs"]?.arrayValue, !more.isEmpty else { break }
            lines += more.compactMap(\.stringValue)
        }
        let logs = told.events.filter { $0.type == "log" }
        #expect(
            lines
                == logs.map { "\($0.data?["timestamp"]?.stringValue ?? "") \($0.data?["message"]?.stringValue ?? "")" }
        )
        #expect(lines.allSatisfy { $0.wholeMatch(of: /\d{4}-.*Z \[[a-z_]+\] .*/) != nil })
    }

    @Test("E-47: with Redis gone and without notices the stream goes on within about a second per look")
    func withoutRedis() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let house = try await LiveHouse.open(redisURL: redis.url)
        let id = try await house.engagement()
        let run = try await house.start(id)
        try await house.serve(house.world) { port, _ in
            let answer = try await house.stream(port, id).read { answer in
                switch answer.seqs.count {
                case 1 where answer.events.count == 1:
                    await redis.stop()
                    try await house.append([.log(agent: "a", "two")], to: run, telling: false)
                case 2: try await house.finish(run, telling: false)
                default: break
                }
                return false
            }
            #expect(answer.ended && answer.seqs == [1, 2, 3])
            // E-49 with decision O-2: Redis away is no reason to refuse a stream.
            #expect(try await house.stream(port, id).read().seqs == [1, 2, 3])
        }
        await house.world.close()
    }

    @Test("D-25: before the first run the stream tells the state and waits; after a run's end it moves on to the next")
    func runs() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        try await house.serve(house.world) { port, live in
            async let told = house.stream(port, id).read()
            try await eventually(within: .seconds(10), "the stream to wait") { await live.streams == 1 }
            let run = try await house.start(id)
            house.world.dispatch.notices.tell(of: [id.rawValue])
            try await house.finish(run)
            let answer = try await told
            #expect(
                answer.events.compactMap { $0.data?["status"]?.stringValue } == ["pending", "running", "completed"]
            )
            #expect(answer.events[0].id == nil && answer.seqs == [1, 2])

            let next = try await house.start(id)
            try await house.finish(next, as: .failed)
            let second = try await house.stream(port, id, since: "\(run)-2").read()
            #expect(second.events.map(\.id) == ["\(next)-1", "\(next)-2"])
            #expect(try await house.stream(port, id, since: "\(run)-1").read().events.map(\.id) == ["\(run)-2"])
        }
        await house.world.close()
    }

    @Test("E-49, X-6: an unknown or foreign engagement is 404; an id that is not ours counts as none")
    func strangers() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let run = try await house.start(id)
        try await house.finish(run)
        let stranger = try await house.world.stores.accounts.createTenant(name: "S", plan: .enterprise)
        let key = try #require(
            try await house.world.stores.accounts.createKey(
                tenant: stranger.id,
                name: "k",
                scopes: [.readOnly],
                mode: .live
            )
        )
        let foreign = LiveHouse(world: house.world, key: key.plaintext)
        try await house.serve(house.world) { port, _ in
            for answer in [
                try await foreign.stream(port, id).read(), try await house.stream(port, ID("cnone")).read(),
            ] {
                #expect(answer.status == 404 && answer.text == #"{"error":"Not found"}"#)
            }
            for odd in ["x", "-", "\(run)-9", "\(run)-", "\(run)--1", "cother-1", "\(run)-99999999999999999999"] {
                #expect(try await house.stream(port, id, since: odd).read().seqs == [1, 2], "\(odd)")
            }
        }
        await house.world.close()
    }

    @Test("E-49: a stream whose events cannot be read is refused with 502 and the contract's text")
    func unserved() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let away = Postgres(
            try PostgresConfiguration(url: house.world.databaseURL, size: 2),
            logger: house.world.logger
        )
        away.close()
        try await house.serve(house.world, runs: RunStore(away)) { port, _ in
            let answer = try await house.stream(port, id).read()
            #expect(answer.status == 502 && answer.text == #"{"error":"Failed to connect to engine"}"#)
        }
        await house.world.close()
    }

    @Test("A notice brings an event long before the net under lost ones, and streams come and go")
    func notices() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let run = try await house.start(id)
        try await house.serve(house.world, pace: .init(look: .seconds(600))) { port, live in
            async let told = house.stream(port, id).read()
            try await eventually(within: .seconds(10), "the stream and its subscription") {
                await live.streams == 1 && house.world.dispatch.notices.isSubscribed
            }
            try await house.append([.taskComplete("a")], to: run)
            try await house.finish(run)
            #expect(try await told.seqs == [1, 2, 3])
        }
        // The reader goes when nobody has streamed for a while, and the next stream brings it back.
        try await house.serve(house.world, pace: .init(look: .milliseconds(10))) { port, live in
            for _ in 1...2 {
                let next = try await house.start(id)
                async let told = house.stream(port, id).read()
                try await eventually(within: .seconds(10), "the stream") { await live.streams == 1 }
                try await house.finish(next, telling: false)
                #expect(try await told.seqs == [1, 2])
                try await eventually(within: .seconds(10), "the reader to go") { await !live.isServing }
            }
        }
        await house.world.close()
    }

    @Test("E-48: a silent stream shows a comment from time to time")
    func heartbeat() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let run = try await house.start(id)
        let pace = LiveEvents.Pace(look: .milliseconds(50), heartbeat: .milliseconds(200))
        try await house.serve(house.world, pace: pace) { port, _ in
            let answer = try await house.stream(port, id).read {
                $0.text.components(separatedBy: "\n\n:\n\n:").count > 1
            }
            #expect(answer.blocks.count { $0.lines == [":"] } >= 1)
            #expect(answer.events.map(\.id) == ["\(run)-1"])
        }
        await house.world.close()
    }

    @Test("A deleted engagement ends its streams")
    func deleted() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        _ = try await house.start(id)
        try await house.serve(house.world) { port, live in
            async let told = house.stream(port, id).read()
            try await eventually(within: .seconds(10), "the stream to follow") { await live.streams == 1 }
            _ = try await house.world.postgres.query("DELETE FROM engagements WHERE id = \(id)")
            #expect(try await told.ended)
            try await eventually(within: .seconds(10), "the stream to be forgotten") { await live.streams == 0 }
        }
        await house.world.close()
    }
}
