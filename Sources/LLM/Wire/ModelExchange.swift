import AsyncHTTPClient
import Domain
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// One call on the wire: reads the answer on the connection's event loop and keeps the clock.
final class ModelExchange<Answer: StreamedAnswer>: HTTPClientResponseDelegate {
    typealias Response = ModelReply

    fileprivate struct State {
        var head: HTTPResponseHead?
        var headAt = NIODeadline.now()
        var isStream = false
        var events = ServerSentEvents()
        var answer = Answer()
        /// The body of an answer that is no stream.
        var body: [UInt8] = []
        var received = 0
        var began = NIODeadline.distantPast
        var lastByte: NIODeadline?
        var timer: Scheduled<Void>?
        var isOver = false
    }

    private let request: ModelRequest
    private let limits: ModelLimits
    private let words: ProviderWords
    private let onText: @Sendable (String) -> Void
    /// Touched on the event loop, and once more by the caller when the call has failed.
    private let state = Mutex(State())

    init(
        request: ModelRequest,
        limits: ModelLimits,
        words: ProviderWords,
        onText: @escaping @Sendable (String) -> Void
    ) {
        self.request = request
        self.limits = limits
        self.words = words
        self.onText = onText
    }

    /// Makes the call. Cancelling the task closes its connection: the provider stops writing, and stops charging.
    func run(_ call: HTTPClient.Request, on client: HTTPClient) async throws(ModelFault) -> ModelReply {
        let task = client.execute(request: call, delegate: self, eventLoop: .indifferent, deadline: nil)
        do {
            return try await withTaskCancellationHandler {
                try await task.get()
            } onCancel: {
                task.cancel()
            }
        } catch {
            return try outcome(of: error)
        }
    }

    // MARK: The answer

    func didReceiveHead(task: HTTPClient.Task<ModelReply>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        state.withLock {
            $0.head = head
            $0.headAt = .now()
            let type = head.headers.first(name: "content-type") ?? "text/event-stream"
            $0.isStream = head.status == .ok && type.lowercased().hasPrefix("text/event-stream")
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<ModelReply>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        var text = ""
        let isTooLong = state.withLock { state in
            state.lastByte = .now()
            state.received += buffer.readableBytes
            guard state.received <= limits.responseBytes else { return true }
            if state.isStream {
                text = state.read(buffer)
            } else {
                state.body.append(contentsOf: buffer.readableBytesView)
            }
            return false
        }
        if !text.isEmpty { onText(text) }
        guard isTooLong else { return task.eventLoop.makeSucceededVoidFuture() }
        let fault = ModelFault.invalidOutput("the answer is longer than \(limits.responseBytes) bytes")
        return task.eventLoop.makeFailedFuture(fault)
    }

    func didFinishRequest(task: HTTPClient.Task<ModelReply>) throws -> ModelReply {
        var text = ""
        defer { if !text.isEmpty { onText(text) } }
        return try state.withLock { state in
            state.stop()
            text = state.readRest()
            return try reply(&state)
        }
    }

    private func reply(_ state: inout State) throws(ModelFault) -> ModelReply {
        guard let head = state.head else { throw .network("no answer") }
        let requestID = head.headers.first(name: "x-request-id") ?? head.headers.first(name: "request-id")
        guard head.status == .ok else {
            let wait = RetryAfter.wait(in: head.headers, now: Self.now())
            throw words.fault(status: Int(head.status.code), ProviderError.read(state.body), wait: wait)
        }
        var reply = try state.answer.reply(to: request, requestID: requestID, words: words)
        reply.allowance = RateHeaders.allowance(in: head.headers)
        reply.allowanceAge = .nanoseconds((NIODeadline.now() - state.headAt).nanoseconds)
        return reply
    }

    private static func now() -> Timestamp {
        Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }

    // MARK: Faults

    func didReceiveError(task: HTTPClient.Task<ModelReply>, _ error: any Error) {
        state.withLock { $0.stop() }
    }

    /// What became of a call whose connection failed: an answer that was complete by then still counts.
    private func outcome(of error: any Error) throws(ModelFault) -> ModelReply {
        if let fault = error as? ModelFault { return try complete(or: fault) }
        let (bytes, hasBegun) = state.withLock { ($0.answer.text.utf8.count, $0.received > 0) }
        switch error as? HTTPClientError {
        case .cancelled?: throw .cancelled(partialOutputBytes: bytes)
        case .connectTimeout?, .getConnectionFromPoolTimeout?, .tlsHandshakeTimeout?: throw .timeout(.connect)
        case .readTimeout?: return try complete(or: .timeout(.silence))
        case .deadlineExceeded?: return try complete(or: .timeout(.total))
        default: return try complete(or: hasBegun ? .truncated : .network(words.redaction.clean("\(error)")))
        }
    }

    private func complete(or fault: ModelFault) throws(ModelFault) -> ModelReply {
        var text = ""
        defer { if !text.isEmpty { onText(text) } }
        let reply = state.withLock { state -> ModelReply? in
            text = state.readRest()
            return state.answer.isComplete ? try? self.reply(&state) : nil
        }
        guard let reply else { throw fault }
        return reply
    }

    // MARK: The clock

    func didSendRequestHead(task: HTTPClient.Task<ModelReply>, _ head: HTTPRequestHead) {
        state.withLock { $0.began = .now() }
        wait(min(limits.firstByte, limits.total).amount, for: task)
    }

    /// One timer a call: when it rings too early, it is set again for what is left.
    private func wait(_ amount: TimeAmount, for task: HTTPClient.Task<ModelReply>) {
        let timer = task.eventLoop.scheduleTask(in: amount) { self.ring(for: task) }
        let isOver = state.withLock { state in
            if !state.isOver { state.timer = timer }
            return state.isOver
        }
        if isOver { timer.cancel() }
    }

    private func ring(for task: HTTPClient.Task<ModelReply>) {
        let now = NIODeadline.now()
        let next = state.withLock { $0.isOver ? nil : limit(of: $0) }
        guard let (due, phase) = next else { return }
        if due <= now {
            task.fail(reason: ModelFault.timeout(phase))
        } else {
            wait(due - now, for: task)
        }
    }

    private func limit(of state: borrowing State) -> (NIODeadline, ModelFault.Phase) {
        let total = state.began + limits.total.amount
        var due: (NIODeadline, ModelFault.Phase) = (state.began + limits.firstByte.amount, .firstByte)
        if let last = state.lastByte {
            // Once the server is done, only the connection's end is missing: nobody need wait long for it.
            let silence = state.answer.isDone ? min(limits.silence, .seconds(2)) : limits.silence
            due = (last + silence.amount, .silence)
        }
        return due.0 <= total ? due : (total, .total)
    }
}

extension ModelExchange.State {
    fileprivate mutating func read(_ buffer: ByteBuffer) -> String {
        var text = ""
        events.feed(buffer.readableBytesUInt8Span) { text += answer.take($0) }
        return text
    }

    /// The last event, where its end is missing; or the whole body, where the server does not stream.
    fileprivate mutating func readRest() -> String {
        if isStream {
            var text = ""
            events.finish { text += answer.take($0) }
            return text
        }
        guard head?.status == .ok, !body.isEmpty else { return "" }
        defer { body = [] }
        return answer.take(body)
    }

    fileprivate mutating func stop() {
        isOver = true
        timer?.cancel()
        timer = nil
    }
}
