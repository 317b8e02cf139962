import Domain
import Embedded
import TestSupport
import Testing

extension ScenarioTests {
    private func ids(_ caller: Caller) async throws -> [String] {
        let list = try await caller.call("GET", "/api/engagements")
        #expect(list.status == 200)
        return list.body.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
    }

    @Test(
        "SC-13, E-1 to E-4: what one replica creates, starts and deletes the other one's next list shows, to its tenant alone"
    )
    func sharedList() async throws {
        let house = try #require(Scene.current).house
        let k1 = try await house.customer(.enterprise).key()
        let k2 = try await house.customer(.starter).key()
        for replica in [k1.a, k1.b, k2.a, k2.b] { #expect(try await ids(replica).isEmpty) }
        let old = try await k1.a.create()
        #expect(try await ids(k1.b) == [old])
        let new = try await k1.a.create([.task("a", 60_000, 0.1)])
        #expect(try await ids(k1.b) == [new, old])
        for replica in [k2.a, k2.b] { #expect(try await ids(replica).isEmpty) }
        try await k1.b.start(new)
        let running = try await k1.a.call("GET", "/api/engagements").body.arrayValue
        #expect(running?.map { $0["status"] } == ["running", "pending"])
        #expect(try await k1.b.call("POST", "/api/engagements/\(new)/stop").status == 200)
        let stopped = try await k1.a.call("GET", "/api/engagements").body.arrayValue
        #expect(stopped?.first?["status"] == "failed")
        #expect(try await k1.a.call("DELETE", "/api/engagements/\(new)").status == 200)
        #expect(try await ids(k1.b) == [old])
        for replica in [k2.a, k2.b] { #expect(try await ids(replica).isEmpty) }
    }

    @Test(
        "SC-13, E-3, E-5: while a hundred are created and deleted at one replica, no list of the other shows a deleted one or misses a created one"
    )
    func listUnderWrites() async throws {
        let k1 = try await #require(Scene.current).house.customer(.enterprise).key()
        let history = WriteHistory()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await write(k1.a, history) }
            group.addTask { try await read(k1.b, history) }
            try await group.waitForAll()
        }
    }

    /// Every third one stays.
    private func write(_ caller: Caller, _ history: WriteHistory) async throws {
        for round in 0..<100 {
            let id = try await caller.create()
            history.note { $0.created.insert(id) }
            guard !round.isMultiple(of: 3) else { continue }
            history.note { $0.deleting.insert(id) }
            #expect(try await caller.call("DELETE", "/api/engagements/\(id)").status == 200)
            history.note { $0.deleted.insert(id) }
        }
        history.note { $0.isOver = true }
    }

    private func read(_ caller: Caller, _ history: WriteHistory) async throws {
        while true {
            let before = history.now
            let seen = Set(try await ids(caller))
            #expect(WriteHistory.allows(seen, between: before, and: history.now))
            if before.isOver { return }
        }
    }

    @Test("SC-13, E-5: with Redis down both replicas' lists are right, and again when it is back")
    func listWithoutRedis() async throws {
        let house = try #require(Scene.current).house
        let k1 = try await house.customer(.enterprise).key()
        let first = try await k1.a.create()
        for replica in [k1.a, k1.b] { #expect(try await ids(replica) == [first]) }
        await house.fleet.redis.kill()
        let second = try await k1.a.create()
        for replica in [k1.a, k1.b] { #expect(try await ids(replica) == [second, first]) }
        #expect(try await k1.b.call("DELETE", "/api/engagements/\(first)").status == 200)
        for replica in [k1.a, k1.b] { #expect(try await ids(replica) == [second]) }
        try await house.fleet.redis.restart(empty: true)
        try await house.ready()
        for replica in [k1.b, k1.a] { #expect(try await ids(replica) == [second]) }
    }
}
