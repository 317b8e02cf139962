import Foundation
import PostgresClient
import Queue
import Synchronization
import TestSupport

/// Feeds jobs through the library. An unanswered COMMIT is not tried again: its keys are *attempted*, not *acknowledged*.
struct Producer: Sendable {
    let sea: Sea
    let progress: Progress
    let seed: UInt64

    func run() async throws {
        var random = SplitMix(seed: seed)
        while !Task.isCancelled, !progress.isFilled {
            guard progress.mayProduce else {
                try await Task.sleep(for: .milliseconds(20))
                continue
            }
            let keys = progress.keys(random.chance(30) ? 1 : 50)
            let jobs = keys.map { Self.job($0, &random) }
            do {
                // Some are committed, and the producer died before Redis heard of them.
                if random.chance(10) {
                    _ = try await sea.postgres.query(Ledger.insert(jobs))
                } else {
                    try await sea.queue.enqueue(jobs)
                }
                progress.acknowledge(keys)
            } catch {
                progress.state.withLock { $0.unknown += keys.count }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    static func job(_ key: Int, _ random: inout SplitMix) -> NewJob {
        let long = random.chance(5)
        let time = long ? Int.random(in: 600...1800, using: &random) : Int.random(in: 0...30, using: &random)
        let failures = random.chance(3) ? 1 : 0
        let payload = #"{"key":"\#(key)","milliseconds":\#(time),"failures":\#(failures),"stubborn":\#(long)}"#
        return NewJob(
            kind: "test.probe",
            queue: "maint",
            tenant: "t\(key % 10)",
            priority: Int.random(in: 0...9, using: &random),
            payload: payload,
            delay: random.chance(5) ? .milliseconds(Int.random(in: 100...2000, using: &random)) : .zero
        )
    }
}
