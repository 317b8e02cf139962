import RedisClient
import Synchronization

/// Notices that something has news, by name: a run that wrote events, an engagement that got a run.
extension EndNotices {
    /// Names that do not fit are left out: who follows looks at everything now and then.
    private static let waitingNotices = 256

    /// The names of what has news, from now on; an empty list where notices may have been missed.
    ///
    /// A notice is a hint and comes at most once: who follows reads Postgres, and looks now and then without a notice. All
    /// who follow or wait in a process share one Redis subscription. It is given up a few seconds after the last of them.
    package func follow() -> AsyncStream<[String]> {
        let (stream, feed) = AsyncStream.makeStream(
            of: [String].self,
            bufferingPolicy: .bufferingNewest(Self.waitingNotices)
        )
        let (ticket, isFirst) = state.withLock { state in
            state.count += 1
            state.followers[state.count] = feed
            defer { state.isServing = true }
            return (state.count, !state.isServing)
        }
        feed.onTermination = { [weak self] _ in self?.state.withLock { $0.followers[ticket] = nil } }
        if isFirst { startServing() }
        return stream
    }

    /// Tells everyone who follows that these have news, and waits for nothing; call it after the commit. Failing is no error.
    ///
    /// What is told while a message is under way goes out together in the next one.
    /// - Parameter names: ids without commas.
    package func tell(of names: [String]) {
        guard !names.isEmpty, redis.isConnected else { return }
        let isMine = state.withLock { state in
            state.untold.formUnion(names)
            defer { state.isTelling = true }
            return !state.isTelling
        }
        if isMine { tellUntold() }
    }

    private func tellUntold() {
        guard let names = takeUntold() else { return }
        redis.post(["PUBLISH", news, names.joined(separator: ",")]) { [self] _ in tellUntold() }
    }

    private func takeUntold() -> Set<String>? {
        state.withLock { state in
            guard !state.untold.isEmpty else {
                state.isTelling = false
                return nil
            }
            defer { state.untold = [] }
            return state.untold
        }
    }

    func spread(_ message: String) {
        let names = message.split(separator: ",").map(String.init)
        for follower in state.withLock({ Array($0.followers.values) }) { follower.yield(names) }
    }
}
