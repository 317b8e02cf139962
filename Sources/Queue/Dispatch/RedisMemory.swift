import Logging
import RedisClient

/// A Redis that is nearly full is told of no more jobs. They are accepted all the same, and workers take them from the ledger;
/// what it missed it is told when there is room again.
extension Dispatch {
    /// Share of `maxmemory` above which no hints are pushed.
    static let fullFrom = 0.9
    /// Share below which they are pushed again; lower, so that it does not go to and fro.
    static let roomFrom = 0.85

    /// Redis has no room for hints.
    package var isFull: Bool { withMemory(\.isFull) }

    /// Looks at Redis' memory, at most once a second however often it is called.
    package func watchMemory() async {
        guard redis.isConnected, startLook() else { return }
        guard let text = try? await redis.send(["INFO", "memory"], timeout: .seconds(1)).string else { return }
        let info = RedisInfo(text)
        guard let used = info.share else { return see(full: false) }
        see(full: used > (isFull ? Self.roomFrom : Self.fullFrom))
    }

    /// Redis refused a command because its memory is used up.
    func noteOutOfMemory() {
        see(full: true)
    }

    private func startLook() -> Bool {
        let now = ContinuousClock.now
        return withMemory { memory in
            if let last = memory.looked, last.duration(to: now) < .seconds(1) { return false }
            memory.looked = now
            return true
        }
    }

    private func see(full: Bool) {
        let isNews = withMemory { memory in
            defer { memory.isFull = full }
            if memory.isFull, !full { memory.missed = true }
            return memory.isFull != full
        }
        guard isNews else { return }
        if full {
            logger.warning(
                "Redis is nearly full: no hints are pushed, workers ask the ledger. Raise maxmemory of \(redis.address)."
            )
        } else {
            logger.notice("Redis has room again: it is told of the jobs that it missed")
        }
    }

    /// Hints were held back since this was asked last.
    func takeMissed() -> Bool {
        withMemory { memory in
            defer { memory.missed = false }
            return memory.missed
        }
    }
}

/// What is known of Redis' memory.
struct RedisMemory: Sendable {
    var looked: ContinuousClock.Instant?
    var isFull = false
    /// There is room again, and hints were held back before.
    var missed = false
}
