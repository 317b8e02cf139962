import Crew
import Domain
import Embedded
import Foundation
import Jobs
import PostgresClient
import Queue
import RedisClient
import Stores
import Synchronization
import TestSupport
import Testing

/// The index of an engagement's files, on a real Postgres and Redis.
@Suite("Rebuilding the context")
struct RebuildContextTests {
    @Test("A-12, D-44: an upload leads to a manifest and to passages that can be found, with their places")
    func builds() async throws {
        let house = try await ContextHouse.open()
        try await house.add("report.pdf", "# Fleets\n\nRefrigerated trailers are rare.\u{c}The loggers cost 79 euros.")
        try await house.add("prices.csv", "Region | Price\nOslo | 79\nHamburg | 82")
        #expect(try await house.work() >= 1)
        let state = try await house.state()
        #expect(state.generation == 2 && !state.isBuilding && state.files == 2 && state.chunks == 3)
        let entry = try #require(state.manifest?["attachments"]?.arrayValue?.first)
        #expect(entry["filename"] == "report.pdf" && entry["textStatus"] == "indexed" && entry["chunks"] == 2)
        #expect(state.manifest?["generatedAt"]?.stringValue?.hasSuffix("Z") == true)
        let hit = try #require(try await house.search("what does a logger cost?").first)
        #expect(hit.citation == "report.pdf, p. 2" && hit.text.contains("79 euros"))
        #expect(try await house.search("Hamburg").map(\.citation) == ["prices.csv, rows 1-2"])
        await house.world.close()
    }

    @Test("A-30: 40 changes at once cost about a dozen builds, and the last one describes exactly the files there are")
    func coalesces() async throws {
        let house = try await ContextHouse.open()
        let done = Flag()
        let builds = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                var builds = 0
                while !done.isUp { builds += try await house.work() }
                return builds + (try await house.work())
            }
            group.addTask {
                try await withThrowingTaskGroup(of: Void.self) { changes in
                    for number in 0..<40 {
                        changes.addTask {
                            let id = try await house.add("note\(number).md", "Note \(number) of trailer X\(number)Y.")
                            if number % 4 == 0 { try await house.remove(id) }
                        }
                    }
                    try await changes.waitForAll()
                }
                done.raise()
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect((1...20).contains(builds), "\(builds) builds")
        let state = try await house.state()
        #expect(state.wanted == 50 && state.generation == 50)
        let named = state.manifest?["attachments"]?.arrayValue?.compactMap { $0["filename"]?.stringValue } ?? []
        #expect(Set(named) == Set((0..<40).filter { $0 % 4 != 0 }.map { "note\($0).md" }))
        #expect(try await house.search("X8Y", limit: 50).allSatisfy { $0.filename != "note8.md" })
        #expect(try await house.search("X9Y").first?.filename == "note9.md")
        await house.world.close()
    }

    @Test("A change while it builds leads to one more build; files that did not change are not read again")
    func again() async throws {
        let house = try await ContextHouse.open()
        try await house.add("one.md", "One trailer.")
        let added = Flag()
        house.files.meet { name in
            guard name == "one.md", !added.isUp else { return }
            added.raise()
            try await house.add("two.md", "Two trailers.")
        }
        #expect(try await house.work() == 2)
        #expect(try await house.state().files == 2)
        #expect(house.files.read == ["one.md", "two.md"])
        await house.world.close()
    }

    @Test("A broken file and one whose bytes are gone have their status in the manifest; the others are indexed")
    func broken() async throws {
        let house = try await ContextHouse.open()
        try await house.add("bad.pdf", "BROKEN")
        let gone = try await house.add("gone.md", "Gone.")
        try await house.files.remove("attachments/\(gone)")
        try await house.add("good.md", "Good trailers.")
        try await house.work()
        let files = try await house.state().manifest?["attachments"]?.arrayValue ?? []
        #expect(files.map { $0["textStatus"] } == ["broken", "unread", "indexed"])
        #expect(try await house.search("trailers").map(\.filename) == ["good.md"])
        await house.world.close()
    }

    @Test(
        "J-3: a worker killed in the middle leaves nothing that counts; the next attempt ends it, and the dead one is fenced"
    )
    func killed() async throws {
        let house = try await ContextHouse.open()
        try await house.add("one.md", "One trailer.")
        try await house.add("two.md", "Two trailers.")
        let reached = Flag()
        let release = Flag()
        house.files.meet { name in
            guard name == "two.md", !reached.isUp else { return }
            reached.raise()
            try await eventually(within: .seconds(20), "the zombie to wake up") { release.isUp }
        }
        try await eventually(within: .seconds(5), "the job to be due") {
            try await house.world.count("queue = 'index' AND run_at <= clock_timestamp()") == 1
        }
        let victim = try #require(try await house.claim().first)
        // It outlives the attempt that replaces it, and its error is looked at afterwards.
        let zombie = Task { try await house.run(victim) }
        try await eventually(within: .seconds(10), "the first file to be read") { reached.isUp }
        // As the reaper does when the lease of a killed worker has run out; and it was in the middle of a file.
        _ = try await house.world.postgres.pipeline([
            "UPDATE jobs SET state = 'queued', session = NULL, losses = losses + 1 WHERE id = \(victim.id)",
            """
            INSERT INTO context_texts (engagement_id, tenant_id, sha256, filename)
            VALUES (\(house.engagement), \(house.tenant), sha256('x'), 'half.md')
            """,
        ])
        try await house.work()
        #expect(try await house.state().generation == 2)
        release.raise()
        await #expect(throws: (any Error).self) { try await zombie.value }
        let state = try await house.state()
        #expect(state.generation == 2 && state.files == 2 && state.chunks == 2)
        #expect(try await house.column("SELECT filename FROM context_texts WHERE status = 'writing'") == [])
        #expect(try await house.search("trailers").count == 2)
        await house.world.close()
    }

    @Test("FLUSHALL loses no rebuild: the job is in Postgres, and one that is gone comes back (C-7)")
    func flushed() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let house = try await ContextHouse.open(redisURL: redis.url)
        try await house.add("one.md", "One trailer.")
        _ = try await house.world.redis.send(["FLUSHALL"])
        #expect(try await house.world.count("kind = 'context.rebuild' AND state = 'queued'") == 1)
        _ = try await house.world.postgres.pipeline([
            "DELETE FROM jobs WHERE kind = 'context.rebuild'",
            "UPDATE index_state SET changed_at = now() - interval '1 minute'",
        ])
        try await ContextUpkeep.recover(house.world.queue)
        try await ContextUpkeep.recover(house.world.queue)
        #expect(try await house.world.count("kind = 'context.rebuild'") == 1)
        try await house.work()
        #expect(try await house.state().generation == 1)
        await house.world.close()
        await redis.stop()
    }

    @Test("D-49: a run keeps the generation it started with, and lets go of it when it ends")
    func held() async throws {
        let house = try await ContextHouse.open()
        let old = try await house.add("old.md", "The old plan speaks of barges.")
        try await house.work()
        let run = Run.ID.make()
        _ = try await house.world.postgres.pipeline(
            [
                """
                INSERT INTO runs (id, tenant_id, engagement_id, budget_nanos)
                VALUES (\(run), \(house.tenant), \(house.engagement), 1)
                """
            ] + ContextLedger.hold(for: run)
        )
        try await house.remove(old)
        try await house.add("new.md", "The new plan speaks of ferries.")
        try await house.work()
        #expect(try await house.column("SELECT context_generation::text FROM runs WHERE id = \(run)") == ["1"])
        #expect(try await house.search("barges", generation: 1).map(\.filename) == ["old.md"])
        #expect(try await house.search("barges").isEmpty)
        #expect(try await house.search("ferries").map(\.filename) == ["new.md"])
        _ = try await house.world.postgres.pipeline([
            "UPDATE runs SET status = 'completed' WHERE id = \(run)",
            "UPDATE context_texts SET created_at = now() - interval '1 hour'",
        ])
        try await ContextUpkeep.prune(house.world.queue)
        #expect(try await house.search("barges", generation: 1).isEmpty)
        #expect(try await house.column("SELECT filename FROM context_texts") == ["new.md"])
        await house.world.close()
    }
}

/// Goes up once, seen by every task.
private final class Flag: Sendable {
    private let state = Mutex(false)
    var isUp: Bool { state.withLock { $0 } }
    func raise() { state.withLock { $0 = true } }
}
