import Domain
import Hummingbird
import NIOCore
import ServiceLifecycle
import Stores

/// One client's stream, from its first byte to its end.
///
/// Its functions are `@concurrent` because Hummingbird's writer was compiled without nonsending by default.
struct LiveStream: Sendable {
    let engagement: Engagement.ID
    let start: StreamStart
    let plan: StreamPlan
    let runs: RunStore
    let live: LiveEvents

    /// Events in one page of what a client has missed.
    private static let pageLimit = 500

    /// Writes until the run is over, the client is gone or too slow, or the server goes. The client resumes by the id of
    /// the last event that it has.
    @concurrent
    func write(to writer: inout any ResponseBodyWriter) async throws {
        let (items, feed) = LiveEvents.feed()
        try await writer.write(ByteBuffer(string: EventFrame.retry))
        try await withGracefulShutdownHandler {
            try await follow(items, feed, &writer)
        } onGracefulShutdown: {
            feed.finish()
        }
        if Task.isShuttingDownGracefully { try await writer.write(ByteBuffer(string: EventFrame.retry)) }
        try await writer.finish(nil)
    }

    @concurrent
    private func follow(
        _ items: AsyncStream<LiveEvents.Item>,
        _ feed: LiveEvents.Feed,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        let ticket: Int
        switch plan {
        case .over: return
        case .wait:
            try await writer.write(ByteBuffer(string: EventFrame.waiting(start.status, at: start.now)))
            ticket = await live.join(engagement, run: nil, after: 0, feed: feed)
        case .follow(let run, let seq):
            let reached = try await catchUp(run, after: seq, &writer)
            ticket = await live.join(engagement, run: run, after: reached, feed: feed)
        }
        do {
            for await item in items { try await writer.write(Self.bytes(of: item)) }
        } catch {
            await live.leave(ticket)
            throw error
        }
        await live.leave(ticket)
    }

    /// What was committed before: at the client's own pace, before it shares the reader of all.
    @concurrent
    private func catchUp(_ run: Run.ID, after seq: Int, _ writer: inout any ResponseBodyWriter) async throws -> Int {
        var reached = seq
        while !Task.isShuttingDownGracefully {
            let page = try await runs.events(of: run, after: reached, limit: Self.pageLimit)
            if !page.isEmpty { try await writer.write(Self.bytes(of: .events(page))) }
            reached = page.last?.seq ?? reached
            if page.count < Self.pageLimit { break }
        }
        return reached
    }

    private static func bytes(of item: LiveEvents.Item) -> ByteBuffer {
        switch item {
        case .heartbeat: ByteBuffer(string: EventFrame.heartbeat)
        case .events(let events):
            events.reduce(into: ByteBuffer()) { buffer, event in buffer.writeString(EventFrame.text(of: event)) }
        }
    }
}
