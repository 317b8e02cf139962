import Foundation
import PostgresClient
import Queue
import RedisClient
import TestSupport
import Testing

@Suite("Ids in Redis whose jobs are gone", .serialized)
struct GhostTests {
    @Test("A worker whose every slot was filled by ghosts listens for work again at once")
    func listens() async throws {
        let fleet = try await FleetUnderTest().withEffects()
        let scheduler = try fleet.start("scheduler")
        let worker = try fleet.start("worker", extra: ["GC_WORKER_SLOTS": "4"])
        let prefix = "{\(fleet.world.namespace):maint}"
        let redis = fleet.world.redis
        try await eventually(within: .seconds(15), "the worker to be known to Redis") {
            try await redis.send(["SCARD", prefix + ":w"]).integer == 1
        }
        for round in 0..<3 {
            let ghosts = (1...40).map { number in
                JobHint(id: 9_000_000 + 100 * round + number, queue: "maint", tenant: "t", priority: 5, due: 0)
            }
            await fleet.world.dispatch.push(ghosts)
            try await eventually(within: .seconds(10), "the ghosts to be found out") {
                try await redis.send(["HLEN", prefix + ":b"]).integer == 0
            }
            let payload = #"{"key":"\#(round)","milliseconds":0}"#
            try await fleet.world.queue.enqueue([NewJob(kind: "test.probe", queue: "maint", payload: payload)])
            // A worker that is deaf takes 15 s to notice it.
            try await eventually(within: .seconds(8), "the job to be done") {
                try await fleet.world.count("state = 'done'") == round + 1
            }
        }
        for process in [worker, scheduler] { try await process.stop() }
        await fleet.close()
    }
}
