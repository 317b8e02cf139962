/// Notices a worker that has free slots, while work that it could take waits, and that takes none: the fault that shows
/// nowhere, because nothing fails. Pure.
struct StallWatch: Sendable {
    enum Verdict: Sendable, Equatable {
        case fine
        /// First the connections are made anew.
        case rebuild
        /// That did not help: the process ends, and whoever supervises it starts a fresh one.
        case giveUp
    }

    /// How long ready work may wait beside free slots.
    static let patience = Duration.seconds(15)

    private var since: ContinuousClock.Instant
    private var hasRebuilt = false

    init(now: ContinuousClock.Instant) {
        since = now
    }

    /// Something was claimed, or there is no slot or no work to claim.
    mutating func allIsWell(now: ContinuousClock.Instant) {
        since = now
        hasRebuilt = false
    }

    /// Time to ask the ledger how long work waits.
    func isSuspicious(now: ContinuousClock.Instant) -> Bool { since.duration(to: now) >= Self.patience }

    /// - Parameter oldest: how long the oldest job waits that could be taken; nil where there is none, or nobody knows.
    mutating func judge(oldest: Duration?, now: ContinuousClock.Instant) -> Verdict {
        guard let oldest, oldest >= Self.patience else {
            allIsWell(now: now)
            return .fine
        }
        guard !hasRebuilt else { return .giveUp }
        since = now
        hasRebuilt = true
        return .rebuild
    }
}
