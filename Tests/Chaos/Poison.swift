import Foundation
import PostgresClient
import Queue
import TestSupport

/// Jobs that kill their worker, one after the other, among innocent ones.
struct Poison: Sendable {
    let sea: Sea
    let fleet: Fleet
    let progress: Progress

    func feed() async throws -> (fed: Int, wrong: Int) {
        var wrong = 0
        for number in 1...progress.plan.poison {
            if try await !diesAlone(number) { wrong += 1 }
        }
        return (progress.plan.poison, wrong)
    }

    private func diesAlone(_ number: Int) async throws -> Bool {
        // A loss counts in a healthy fleet only, and the storm is not a minute old: let that minute pass in the books.
        _ = try await sea.postgres.query(
            "UPDATE worker_sessions SET ended_at = ended_at - interval '2 minutes' WHERE ended_at IS NOT NULL"
        )
        let keys = progress.keys(20)
        var random = SplitMix(seed: progress.plan.seed)
        let innocent = keys.map { Producer.job($0, &random) }
        let poison = NewJob(
            kind: "test.probe",
            queue: "maint",
            payload: #"{"key":"-\#(number)","milliseconds":0,"poison":true}"#
        )
        let id = try await sea.queue.enqueue([poison] + innocent).first ?? 0
        progress.acknowledge(keys)
        let deadline = ContinuousClock.now + .seconds(progress.plan.mutant == nil ? 60 : 20)
        while ContinuousClock.now < deadline {
            try await fleet.tend()
            if try await sea.open() == 0 { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        let dead = try await sea.number(
            """
            SELECT count(*) FROM jobs
            WHERE id = \(id) AND state = 'dead' AND dead_reason = 'poison' AND losses = 3
            """
        )
        let others = try await sea.number(
            "SELECT count(*) FROM jobs WHERE id > \(id) AND id <= \(id + 20) AND state <> 'done'"
        )
        return dead == 1 && others == 0
    }
}
