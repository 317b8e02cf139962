import NIOCore

/// Which caller gets which reply, who has waited too long, and when a silent connection is given up.
///
/// Redis answers in the order of the commands, so the queue is all the matching there is. A caller who leaves early
/// (deadline, cancellation) leaves the place in the queue behind: the late reply is dropped there, in order.
/// Pure: time comes in, decisions go out.
struct ReplyQueue<Waiter> {
    /// A caller to be resumed, and with what.
    struct Completion {
        let waiter: Waiter
        let outcomes: [RedisOutcome]
    }

    /// What a reply did.
    enum Receipt {
        /// The request wants more replies, or nobody waits for this one any more.
        case kept
        case completed(Completion)
        /// Nothing was asked: the two sides no longer agree on what is being said.
        case unasked
    }

    /// What a look at the clock found.
    struct Verdict {
        var overdue: [Completion] = []
        /// The server has been silent for so long that the connection counts as dead.
        var isSilent = false
    }

    private struct Entry {
        let token: UInt64
        let count: Int
        let queued: NIODeadline
        let deadline: NIODeadline
        var waiter: Waiter?

        var window: TimeAmount { deadline - queued }
    }

    /// The earliest moment at which ``check(_:)`` can find something; nil when nothing is awaited.
    private(set) var nextCheck: NIODeadline?

    private let address: String
    private let silenceLimit: TimeAmount
    private var entries = CircularBuffer<Entry>()
    /// The replies that the first entry has so far; no other can have any.
    private var collected: [RedisOutcome] = []
    private var written = 0
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)

    init(address: String, silenceLimit: TimeAmount) {
        self.address = address
        self.silenceLimit = silenceLimit
    }

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ request: RedisRequest, token: UInt64, waiter: Waiter, now: NIODeadline) {
        entries.append(
            Entry(token: token, count: request.count, queued: now, deadline: request.deadline, waiter: waiter)
        )
        nextCheck = min(nextCheck ?? request.deadline, request.deadline)
    }

    /// Everything added so far is on its way to the server.
    mutating func markWritten() { written = entries.count }

    /// Bytes have come, whether or not they complete a reply.
    mutating func heard(_ now: NIODeadline) { lastHeard = now }

    mutating func receive(_ reply: RedisReply) -> Receipt {
        guard let front = entries.first else { return .unasked }
        collected.append(Self.outcome(reply))
        guard collected.count == front.count else { return .kept }
        defer { removeFirst() }
        return front.waiter.map { .completed(Completion(waiter: $0, outcomes: collected)) } ?? .kept
    }

    /// Lets a caller go whose task was cancelled; nil when the reply was faster.
    mutating func cancel(_ token: UInt64) -> Completion? {
        // From the back: those who leave early have mostly just come.
        guard let index = entries.lastIndex(where: { $0.token == token }) else { return nil }
        return release(index, .cancelled(at: address, mayHaveRun: true))
    }

    mutating func check(_ now: NIODeadline) -> Verdict {
        var verdict = Verdict()
        var next: NIODeadline?
        for index in entries.indices where entries[index].waiter != nil {
            let deadline = entries[index].deadline
            if deadline > now {
                next = min(next ?? deadline, deadline)
            } else if let completion = release(index, timeout(entries[index])) {
                verdict.overdue.append(completion)
            }
        }
        if let giveUp = silenceEnds(now) {
            verdict.isSilent = giveUp <= now
            next = min(next ?? giveUp, giveUp)
        }
        nextCheck = next
        return verdict
    }

    /// The connection is gone: lets everybody go.
    mutating func failAll(because reason: String) -> [Completion] {
        let lost = RedisError.connectionLost(to: address, because: reason)
        let unsent = RedisError.notConnected(to: address, because: reason)
        let completions = entries.indices.enumerated().compactMap { place, index in
            release(index, place < written ? lost : unsent)
        }
        entries.removeAll()
        collected = []
        written = 0
        nextCheck = nil
        return completions
    }

    /// When the first unanswered request has cost us our patience: its own window, at least the silence limit, has
    /// passed without a byte. A request that is still within its deadline (a slow script) is never the reason.
    private func silenceEnds(_ now: NIODeadline) -> NIODeadline? {
        guard let front = entries.first else { return nil }
        guard front.deadline <= now else { return front.deadline }
        return max(front.queued, lastHeard) + max(front.window, silenceLimit)
    }

    private func timeout(_ entry: Entry) -> RedisError {
        .timeout(at: address, afterMilliseconds: entry.window.milliseconds)
    }

    private mutating func release(_ index: CircularBuffer<Entry>.Index, _ error: RedisError) -> Completion? {
        guard let waiter = entries[index].waiter else { return nil }
        entries[index].waiter = nil
        let known = index == entries.startIndex ? collected : []
        let missing = Array(repeating: RedisOutcome.failure(error), count: entries[index].count - known.count)
        return Completion(waiter: waiter, outcomes: known + missing)
    }

    private mutating func removeFirst() {
        entries.removeFirst()
        collected = []
        written = max(0, written - 1)
        if entries.isEmpty { nextCheck = nil }
    }

    private static func outcome(_ reply: RedisReply) -> RedisOutcome {
        if case .error(let error) = reply { .failure(error) } else { .success(reply) }
    }
}

extension ReplyQueue.Completion: Sendable where Waiter: Sendable {}
extension ReplyQueue.Verdict: Sendable where Waiter: Sendable {}
