import Domain
import Queue
import Stores

/// Brings committed events to all live streams of this process, with one reader for all of them.
///
/// Postgres is read by number, one trip for everything that has news; a notice over Redis only says that it is worth looking
/// now. Without notices it is looked at every second, so a lost one costs a second and no event (contract D-25).
actor LiveEvents {
    /// What a stream is given to write.
    enum Item: Sendable {
        /// At least one, in order, without a gap after those before.
        case events([StoredEvent])
        case heartbeat
    }

    typealias Feed = AsyncStream<Item>.Continuation

    struct Pace: Sendable {
        /// How often everything is looked at, notice or not.
        var look = Duration.seconds(1)
        /// How long a stream may be silent (contract E-48).
        var heartbeat = Duration.seconds(15)
        /// At least so long from one reading to the next: what comes in between is read together.
        var gap = Duration.milliseconds(20)
    }

    /// Streams of one process at most.
    static let streamLimit = 4096
    /// Batches that may wait for a slow client; one more and the stream ends. The client resumes where it was.
    static let waitingBatches = 16
    /// Events of one run in one batch.
    private static let batchLimit = 100
    /// Looks without any stream until the reader goes.
    private static let idleLooks = 5

    fileprivate struct Listener {
        let engagement: Engagement.ID
        var run: Run.ID?
        /// The last event that was put into the feed.
        var seq: Int
        var spokeAt: ContinuousClock.Instant
        let feed: Feed
    }

    private let runs: RunStore
    private let notices: EndNotices
    private let pace: Pace
    private var listeners: [Int: Listener] = [:]
    private var count = 0
    private(set) var isServing = false
    private var idle = 0
    /// Names with news that was not read yet; all of them where `looksAtAll`.
    private var marked: Set<String> = []
    private var looksAtAll = false
    private var bell: AsyncStream<Void>.Continuation?

    init(_ runs: RunStore, notices: EndNotices, pace: Pace = Pace()) {
        self.runs = runs
        self.notices = notices
        self.pace = pace
    }

    /// A feed for one stream, to be given to ``join(_:run:after:feed:)``.
    nonisolated static func feed() -> (AsyncStream<Item>, Feed) {
        AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(waitingBatches))
    }

    var streams: Int { listeners.count }

    /// Whether one more stream can be served.
    var hasRoom: Bool { listeners.count < Self.streamLimit }

    /// From here on the feed gets what is committed; it ends with the run's last event, or when its client is too slow.
    ///
    /// - Parameters:
    ///   - run: nil waits for the engagement's first run.
    ///   - seq: the number of the last event that the client has.
    /// - Returns: a ticket for ``leave(_:)``.
    func join(_ engagement: Engagement.ID, run: Run.ID?, after seq: Int, feed: Feed) -> Int {
        count += 1
        listeners[count] = Listener(engagement: engagement, run: run, seq: seq, spokeAt: .now, feed: feed)
        if !isServing {
            isServing = true
            // One reader serves all streams, so its task belongs to none of them. It ends by itself when there are none.
            Task { await serve() }
        }
        mark([engagement.rawValue])
        return count
    }

    func leave(_ ticket: Int) {
        listeners.removeValue(forKey: ticket)?.feed.finish()
    }

    // MARK: The reader

    private func serve() async {
        let (bells, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.bell = bell
        idle = 0
        bell.yield()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.listen() }
            group.addTask { await self.keepLooking() }
            for await _ in bells {
                await read()
                try? await Task.sleep(for: pace.gap)
            }
            group.cancelAll()
        }
    }

    private func listen() async {
        for await names in notices.follow() { mark(names) }
    }

    private func keepLooking() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: pace.look)
            guard !Task.isCancelled else { return }
            tick()
        }
    }

    private func tick() {
        idle = listeners.isEmpty ? idle + 1 : 0
        if idle > Self.idleLooks { stopServing() }
        let now = ContinuousClock.now
        for (ticket, listener) in listeners where listener.spokeAt.duration(to: now) >= pace.heartbeat {
            give(.heartbeat, to: ticket)
        }
        mark([])
    }

    /// The next to join begins anew, with a bell of its own.
    private func stopServing() {
        isServing = false
        bell?.finish()
        bell = nil
    }

    private func mark(_ names: [String]) {
        if names.isEmpty { looksAtAll = true } else { marked.formUnion(names) }
        bell?.yield()
    }

    /// Postgres away is no end: the next look tries again.
    private func read() async {
        let all = looksAtAll
        let names = marked
        looksAtAll = false
        marked = []
        var known: [Run.ID: Int] = [:]
        var waiting: Set<Engagement.ID> = []
        for listener in listeners.values {
            guard all || listener.isOne(of: names) else { continue }
            if let run = listener.run {
                known[run] = min(known[run] ?? .max, listener.seq)
            } else {
                waiting.insert(listener.engagement)
            }
        }
        guard !known.isEmpty || !waiting.isEmpty else { return }
        let news = try? await runs.news(of: known, startsOf: Array(waiting), limit: Self.batchLimit)
        if let news { deliver(news, asked: known, waiting) }
    }

    // MARK: Delivery

    private func deliver(_ news: RunNews, asked: [Run.ID: Int], _ waiting: Set<Engagement.ID>) {
        let events = Dictionary(grouping: news.events, by: \.run)
        for (ticket, listener) in listeners {
            if let run = listener.run {
                guard let from = asked[run] else { continue }
                pass(events[run] ?? [], from: from, news.tips[run], to: ticket)
            } else if waiting.contains(listener.engagement) {
                meet(news.firstRuns[listener.engagement], ticket)
            }
        }
    }

    /// The outer nil: the engagement was deleted. The inner one: it still has no run.
    private func meet(_ found: Run.ID??, _ ticket: Int) {
        guard let found else { return leave(ticket) }
        guard let run = found else { return }
        listeners[ticket]?.run = run
        mark([run.rawValue])
    }

    /// - Parameter from: the number after which `events` were read.
    private func pass(_ events: [StoredEvent], from: Int, _ tip: RunTip?, to ticket: Int) {
        guard let tip, let listener = listeners[ticket] else { return leave(ticket) }
        // One that joined meanwhile, and is behind what was read, is read for anew.
        guard from <= listener.seq else { return mark([tip.run.rawValue]) }
        let fresh = events.drop { $0.seq <= listener.seq }
        if !fresh.isEmpty { give(.events(Array(fresh)), to: ticket) }
        guard let reached = listeners[ticket]?.seq else { return }
        // The tip was read before the events: a short batch is all there is.
        if reached < tip.lastSeq, events.count >= Self.batchLimit {
            mark([tip.run.rawValue])
        } else if tip.isOver {
            leave(ticket)
        }
    }

    private func give(_ item: Item, to ticket: Int) {
        guard let listener = listeners[ticket] else { return }
        guard case .enqueued = listener.feed.yield(item) else { return leave(ticket) }
        listeners[ticket]?.spokeAt = .now
        if case .events(let events) = item, let last = events.last { listeners[ticket]?.seq = last.seq }
    }
}

extension LiveEvents.Listener {
    fileprivate func isOne(of names: Set<String>) -> Bool {
        names.contains(engagement.rawValue) || run.map { names.contains($0.rawValue) } == true
    }
}
