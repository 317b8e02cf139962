import Foundation
import Synchronization

/// A fault that was done.
struct FaultRecord: Sendable {
    let at: Date
    let kind: String
    let processID: Int
}

/// What everybody in a storm knows of it.
final class Progress: Sendable {
    struct State {
        var nextKey = 0
        /// Keys whose acceptance was seen, as closed ranges: a million jobs are some ten thousand of them.
        var acknowledged: [ClosedRange<Int>] = []
        var acknowledgedCount = 0
        /// Keys of which nobody knows: the connection ended before the answer.
        var unknown = 0
        var faults: [FaultRecord] = []
        var open = 0
        var effects = 0
        var runs = 0
        var refusedRuns = 0
    }

    let plan: Plan
    let state = Mutex(State())

    init(_ plan: Plan) {
        self.plan = plan
    }

    func keys(_ count: Int) -> ClosedRange<Int> {
        state.withLock { state in
            defer { state.nextKey += count }
            return state.nextKey...(state.nextKey + count - 1)
        }
    }

    func acknowledge(_ keys: ClosedRange<Int>) {
        state.withLock {
            $0.acknowledged.append(keys)
            $0.acknowledgedCount += keys.count
        }
    }

    var isFilled: Bool { state.withLock { $0.acknowledgedCount >= plan.jobs } }

    /// Jobs are spread over the faults, and never more wait than the fleet can bear.
    var mayProduce: Bool {
        state.withLock { state in
            let pace = plan.jobs * (state.faults.count + 2) / max(1, plan.faults) + 200
            return state.open < 3000 && state.acknowledgedCount < min(plan.jobs, pace)
        }
    }

    /// Faults are spread over the jobs, too: a storm of a million jobs is not one of ten thousand faults.
    var mayStrike: Bool {
        state.withLock { state in
            let due = plan.faults * state.acknowledgedCount / max(1, plan.jobs)
            return state.faults.count < due * 6 / 5 + 20
        }
    }

    var isStormOver: Bool { state.withLock { $0.acknowledgedCount >= plan.jobs && $0.faults.count >= plan.faults } }
}

/// What a storm shall be.
struct Plan: Sendable {
    var jobs: Int
    var faults: Int
    var seed: UInt64
    var workers = 4
    /// Seconds; short, so that many leases end.
    var lease = 2
    var mutant: String?
    /// Poison is fed after the storm: while many workers die, no loss is counted.
    var poison = 3
    var runs = true
    /// Seconds from the kill of a worker to the next claim of the last of its jobs. Of these the lease takes 2, a scheduler
    /// that must first be replaced 5, a server that is being started again 5; the rest is for a machine that is busy.
    var longestRecovery = 20.0
    /// How long no job may end before the rest is taken for stuck.
    var patience = Duration.seconds(40)
}
