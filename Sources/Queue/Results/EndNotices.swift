import RedisClient
private import Synchronization

/// Notices that jobs have ended, over one Redis subscription for all who wait in this process.
///
/// A notice is a hurry and no promise: who waits looks into the ledger, and looks again now and then without a notice.
package final class EndNotices: Sendable {
    private let redis: Redis
    private let channel: String
    private let state = Mutex(State())

    private struct State {
        var listeners: [Int: [Int: AsyncStream<Void>.Continuation]] = [:]
        var count = 0
        var isServing = false
        var isSubscribed = false
    }

    /// How long the subscription is kept when nobody waits.
    private static let linger = Duration.seconds(5)

    init(_ redis: Redis, channel: String) {
        self.redis = redis
        self.channel = channel
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
        // One subscription serves all who wait, so it belongs to none of them. It ends by itself when nobody does.
        if isFirst { Task { await serve() } }
        return ticket
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
                let subscription = try await redis.subscribe([channel])
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
            if state.listeners.isEmpty { state.isServing = false }
            return state.listeners.isEmpty
        }
    }

    /// Whoever waits looks again: notices may have been missed before.
    private func turn(subscribed: Bool) {
        let feeds = state.withLock { state in
            state.isSubscribed = subscribed
            return state.listeners.values.flatMap(\.values)
        }
        for feed in feeds { feed.yield() }
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
            for try await (_, message) in subscription {
                deliver(message.split(separator: ",").compactMap { Int($0) })
            }
        } catch {
            // The loop around this subscribes anew.
            return
        }
    }

    private func deliver(_ ids: [Int]) {
        let feeds = state.withLock { state in ids.flatMap { state.listeners[$0].map { Array($0.values) } ?? [] } }
        for feed in feeds { feed.yield() }
    }

    private func untilIdle() async {
        var idleSince: ContinuousClock.Instant?
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            let isIdle = state.withLock { $0.listeners.isEmpty }
            idleSince = isIdle ? idleSince ?? .now : nil
            if let idleSince, idleSince.duration(to: .now) >= Self.linger { return }
        }
    }
}
