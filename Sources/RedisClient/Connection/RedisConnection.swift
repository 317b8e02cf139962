import NIOCore
import Synchronization

/// One connection: commands of any number of callers go out pipelined, replies come back in order.
///
/// Callers append to one buffer; the event loop writes all of it in one go, so that commands of the same turn share
/// a system call.
final class RedisConnection: Sendable {
    typealias Waiter = @Sendable ([RedisOutcome]) -> Void
    typealias Listener = @Sendable (RedisReply) -> Void

    fileprivate struct State {
        var queue: ReplyQueue<Waiter>
        var outbox = ByteBuffer()
        var isFlushing = false
        var isFinishing = false
        var ended: String?
        var listener: Listener?
        var timer: (due: NIODeadline, task: Scheduled<Void>)?
        var serverID: Int?
    }

    /// Who gets what of the replies that came in one piece.
    fileprivate struct Delivery: Sendable {
        var completions: [ReplyQueue<Waiter>.Completion] = []
        var published: [RedisReply] = []
        var listener: Listener?
        var unasked: RedisReply?
        var isLast = false
    }

    /// The reason of an end that we wanted ourselves.
    static let closedByUs = "the client was closed"

    let address: String
    let channel: any Channel
    private let state: Mutex<State>
    private let lastToken = Atomic<UInt64>(0)

    init(_ channel: any Channel, configuration: RedisConfiguration) {
        self.channel = channel
        address = configuration.address
        let silenceLimit = TimeAmount(within: configuration.silenceLimit)
        state = Mutex(State(queue: ReplyQueue(address: configuration.address, silenceLimit: silenceLimit)))
    }

    /// Why the connection ended; nil while it lives.
    var ended: String? { state.withLock { $0.ended } }

    /// Whether a reply is awaited.
    var isBusy: Bool { state.withLock { !$0.queue.isEmpty } }

    /// What `CLIENT ID` said; nil where the server does not tell.
    var serverID: Int? {
        get { state.withLock { $0.serverID } }
        set { state.withLock { $0.serverID = newValue } }
    }

    /// Sends and waits; returns at once, without the reply, when the task is cancelled.
    func send(_ request: RedisRequest) async -> [RedisOutcome] {
        let token = lastToken.wrappingAdd(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A cancellation before this line shows here; one after it finds the request in the queue.
                post(request, token: token, unlessCancelled: true) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            state.withLock { $0.queue.cancel(token) }.map { $0.waiter($0.outcomes) }
        }
    }

    /// Sends and waits for the reply or the deadline, even when the task is cancelled.
    func sendToTheEnd(_ request: RedisRequest) async -> [RedisOutcome] {
        await withCheckedContinuation { continuation in
            post(request) { continuation.resume(returning: $0) }
        }
    }

    /// Sends; the waiter is called exactly once, on any thread.
    func post(_ request: RedisRequest, waiter: @escaping Waiter) {
        post(request, token: 0, unlessCancelled: false, waiter: waiter)
    }

    private func post(
        _ request: RedisRequest,
        token: UInt64,
        unlessCancelled: Bool,
        waiter: @escaping Waiter
    ) {
        var mustFlush = false
        let refusal: RedisError? = state.withLock { state in
            if let ended = state.ended { return .notConnected(to: address, because: ended) }
            if state.isFinishing { return .closed(address) }
            if unlessCancelled, Task.isCancelled { return .cancelled(at: address, mayHaveRun: false) }
            state.outbox.append(request.bytes)
            state.queue.add(request, token: token, waiter: waiter, now: request.started)
            mustFlush = !state.isFlushing
            state.isFlushing = true
            return nil
        }
        if let refusal { return waiter(request.all(refusal)) }
        if mustFlush { channel.eventLoop.execute { self.flush() } }
    }

    /// Ends the connection as soon as the open replies are in, or when the grace is over.
    func finish(within grace: TimeAmount) {
        let isIdle = state.withLock { state in
            state.isFinishing = true
            return state.queue.isEmpty
        }
        if isIdle { return end(because: Self.closedByUs) }
        channel.eventLoop.scheduleTask(in: grace) { self.end(because: Self.closedByUs) }
    }

    /// Ends the connection now. The first reason counts; callers that still wait get it.
    func end(because reason: String) {
        let released = state.withLock { state -> [ReplyQueue<Waiter>.Completion] in
            guard state.ended == nil else { return [] }
            state.ended = reason
            state.timer?.task.cancel()
            return state.queue.failAll(because: reason)
        }
        for completion in released { completion.waiter(completion.outcomes) }
        channel.close(promise: nil)
    }
}

// On the event loop.
extension RedisConnection {
    private func flush() {
        let bytes = state.withLock { state in
            let bytes = state.outbox
            state.outbox = ByteBuffer()
            state.isFlushing = false
            if state.ended == nil { state.queue.markWritten() }
            return bytes
        }
        channel.writeAndFlush(bytes, promise: nil)
        setTimer()
    }

    /// Hands replies to their callers.
    func deliver(_ replies: [RedisReply]) {
        let delivery = state.withLock { $0.sort(replies) }
        for completion in delivery.completions { completion.waiter(completion.outcomes) }
        for reply in delivery.published { delivery.listener?(reply) }
        if let unasked = delivery.unasked { end(because: Self.complaint(unasked)) }
        if delivery.isLast { end(because: Self.closedByUs) }
    }

    /// A server that turns us away (`ERR max number of clients reached`) says so unasked.
    private static func complaint(_ reply: RedisReply) -> String {
        guard case .error(let error) = reply else { return "the server sent a reply that nothing asked for" }
        return "the server said: \(error.serverMessage ?? "")"
    }

    /// From now on published messages go to the listener instead of counting as replies.
    func listen(_ listener: @escaping Listener) {
        state.withLock { $0.listener = listener }
    }

    private func setTimer() {
        state.withLock { state in
            guard state.ended == nil, let due = state.queue.nextCheck else { return }
            if let timer = state.timer {
                guard due < timer.due else { return }
                timer.task.cancel()
            }
            state.timer = (due, channel.eventLoop.scheduleTask(deadline: due) { self.check() })
        }
    }

    private func check() {
        let verdict = state.withLock { state in
            state.timer = nil
            return state.queue.check(.now())
        }
        for completion in verdict.overdue { completion.waiter(completion.outcomes) }
        if verdict.isSilent { end(because: "the server has not sent a byte for too long") }
        setTimer()
    }
}

extension RedisConnection.State {
    fileprivate mutating func sort(_ replies: [RedisReply]) -> RedisConnection.Delivery {
        var delivery = RedisConnection.Delivery(listener: listener)
        queue.heard(.now())
        for reply in replies {
            if listener != nil, reply.isPublished {
                delivery.published.append(reply)
                continue
            }
            switch queue.receive(reply) {
            case .kept: break
            case .completed(let completion): delivery.completions.append(completion)
            case .unasked: delivery.unasked = reply
            }
        }
        delivery.isLast = isFinishing && queue.isEmpty
        return delivery
    }
}

extension ByteBuffer {
    fileprivate mutating func append(_ bytes: ByteBuffer) {
        // The first command of a turn, mostly the only one, is not copied.
        if readableBytes == 0 { self = bytes } else { writeImmutableBuffer(bytes) }
    }
}

extension RedisReply {
    /// A message of a channel we subscribed to, as RESP2 delivers it among the replies.
    fileprivate var isPublished: Bool {
        guard case .array(let parts) = self, parts.count == 3 else { return false }
        return parts[0] == .string(Array("message".utf8))
    }
}
