import RedisClient
import Synchronization

/// Notices that jobs have ended and that runs have news, over one Redis subscription for all who wait in this process.
///
/// A notice is a hurry and no promise: who waits looks into the ledger, and looks again now and then without a notice.
package final class EndNotices: Sendable {
    let redis: Redis
    private let channel: String
    let news: String
    let state = Mutex(State())

    struct State {
        var listeners: [Int: [Int: AsyncStream<Void>.Continuation]] = [:]
        var followers: [Int: AsyncStream<[String]>.Continuation] = [:]
        var untold: Set<String> = []
        var isTelling = false
        var count = 0
        var isServing = false
        var isSubscribed = false

        var isUnheard: Bool { listeners.isEmpty && followers.isEmpty }
    }

    /// How long the subscription is kept when nobody waits.
    private static let linger = Duration.seconds(5)

    init(_ redis: Redis, channel: String, news: String) {
        self.redis = redis
        self.channel = channel
        self.news = news
    }

    /// Notices arrive; without that, look often.
    package var isSubscribed: Bool { state.withLock { $0.isSubscribed } }

    /// Tells everyone that these jobs have ended. Failing is no error.
    func publish(_ ids: [Int]) async {
        guard !ids.isEmpty, redis.isConnected else { return }
        _ = try? await redis.send(["PUBLISH", channel, ids.map(String.init).joined(separator: ",")])
    }

    /// Waits until the job has ended as far as notices tell, at most `limit`.
    ///
    /// - Parameter look: called once after the waiting has begun, so that no end is missed in between; true ends the wait.
    func wait(for job: Int, limit: Duration, after look: () async throws -> Bool) async throws {
        let (stream, feed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let ticket = add(feed, job)
        defer { remove(ticket, job) }
        guard try await !look() else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in stream { break } }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }

    private func add(_ feed: AsyncStream<Void>.Continuation, _ job: Int) -> Int {
        let (ticket, isFirst) = state.withLock { state in
            state.count += 1
            state.listeners[job, default: [:]][state.count] = feed
            defer { state.isServing = true }
            return (state.count, !state.isServing)
        }
        if isFirst { startServing() }
        return ticket
    }

    /// One subscription serves all who wait, so its task belongs to none of them. It ends by itself when nobody does.
    func startServing() {
        Task { await serve() }
    }

    private func remove(_ ticket: Int, _ job: Int) {
        state.withLock { state in
            state.listeners[job]?[ticket] = nil
            if state.listeners[job]?.isEmpty == true { state.listeners[job] = nil }
        }
    }

    // MARK: The subscription

    private func serve() async {
        while !mayStop() {
            do {
                let subscription = try await redis.subscribe([channel, news])
                turn(subscribed: true)
                await listen(to: subscription)
                await subscription.close()
            } catch {
                try? await Task.sleep(for: .milliseconds(250))
            }
            turn(subscribed: false)
        }
    }

    private func mayStop() -> Bool {
        state.withLock { state in
            if state.isUnheard { state.isServing = false }
            return state.isUnheard
        }
    }

    /// Whoever waits looks again: notices may have been missed before.
    private func turn(subscribed: Bool) {
        let (feeds, followers) = state.withLock { state in
            state.isSubscribed = subscribed
            return (state.listeners.values.flatMap(\.values), Array(state.followers.values))
        }
        for feed in feeds { feed.yield() }
        for follower in followers { follower.yield([]) }
    }

    /// Until the connection is lost, or nobody has waited for a while.
    private func listen(to subscription: RedisSubscription) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.read(subscription) }
            group.addTask { await self.untilIdle() }
            await group.next()
            group.cancelAll()
        }
    }

    private func read(_ subscription: RedisSubscription) async {
        do {
            for try await (source, message) in subscription {
                if source == news { spread(message) } else { deliver(message) }
            }
        } catch {
            // The loop around this subscribes anew.
            return
        }
    }

    private func deliver(_ message: String) {
        guard state.withLock({ !$0.listeners.isEmpty }) else { return }
        let ids = message.split(separator: ",").compactMap { Int($0) }
        let feeds = state.withLock { state in ids.flatMap { state.listeners[$0].map { Array($0.values) } ?? [] } }
        for feed in feeds { feed.yield() }
    }

    private func untilIdle() async {
        var idleSince: ContinuousClock.Instant?
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            let isIdle = state.withLock { $0.isUnheard }
            idleSince = isIdle ? idleSince ?? .now : nil
            if let idleSince, idleSince.duration(to: .now) >= Self.linger { return }
        }
    }
}
