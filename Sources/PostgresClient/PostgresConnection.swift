private import CLibPQ
private import Dispatch
private import Glibc

/// One libpq connection in pipeline mode: several statements go out in one write and come back in one read.
///
/// At most one exchange is under way; the pool sees to that.
final class PostgresConnection: @unchecked Sendable, Reactor.Handler {
    // Safe: `handle`, `exchange`, `broken`, `isWriting` and `prepared` are touched on the reactor's thread only; the rest is
    // constant.
    private let handle: OpaquePointer
    private let socket: Int32
    private let reactor: Reactor
    private var exchange: PostgresExchange?
    private var broken = false
    private var isWriting = false
    /// Nil where a pooler stands between us and the server.
    private var prepared: PreparedStatements?
    private let pulse: PostgresPulse?
    private let onDeath: @Sendable (PostgresConnection) -> Void

    init(
        _ configuration: PostgresConfiguration,
        reactor: Reactor,
        pulse: PostgresPulse?,
        onDeath: @escaping @Sendable (PostgresConnection) -> Void
    ) async throws(PostgresError) {
        self.reactor = reactor
        self.pulse = pulse
        self.onDeath = onDeath
        switch await Self.connect(configuration) {
        case .success(let opened): handle = opened.handle
        case .failure(let error): throw error
        }
        socket = PQsocket(handle)
        reactor.execute { [self] in reactor.add(socket, self) }
        await prepareIfDirect()
    }

    /// Statements are prepared only where the server itself is at the other end: the process id that a pooler announces is
    /// not the server's. A plan made while a table was small must not stay a scan of all of it when it has grown, so scans
    /// lose wherever there is an index.
    private func prepareIfDirect() async {
        let settings: SQL = """
            SELECT set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)
            WHERE pg_backend_pid() = \(Int(PQbackendPID(handle)))
            """
        // A failure shows again, and is told, at the first statement.
        guard case .success(let results) = await run([settings], deadline: .now + .seconds(5)),
            results.first?.count == 1
        else { return }
        reactor.execute { [self] in prepared = PreparedStatements() }
    }

    private struct Opened: @unchecked Sendable {
        // Safe: handed from the connecting thread to the connection, and used by nobody else.
        let handle: OpaquePointer
    }

    /// PQconnectdb may wait for DNS and for the server, so it runs on a thread of Dispatch, not of Swift's pool.
    private static func connect(_ configuration: PostgresConfiguration) async -> Result<Opened, PostgresError> {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: configuration.open().map(Opened.init(handle:)))
            }
        }
    }

    /// Sends the statements in one write, as one transaction unless they say otherwise, and waits for all results.
    func run(_ statements: [SQL], deadline: ContinuousClock.Instant) async -> Result<[PostgresResult], PostgresError> {
        let exchange = PostgresExchange(statements: statements)
        pulse?.began(self)
        defer { pulse?.ended(self) }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard reactor.execute({ [self] in begin(exchange, deadline, continuation) }) else {
                    return continuation.resume(returning: .failure(PostgresError(.closed, "")))
                }
            }
        } onCancel: {
            reactor.execute { [self] in interrupt(exchange, .cancelled) }
        }
    }

    /// Closes the socket. Whoever waits gets ``PostgresError/Code/connectionLost``.
    func close() {
        reactor.execute { [self] in die("closed", tell: false) }
    }

    /// Ends what is under way because the server is silent; the pool is told that the connection is gone.
    func giveUp(_ reason: String) {
        reactor.execute { [self] in die(reason) }
    }

    // MARK: On the reactor's thread

    private func begin(
        _ exchange: PostgresExchange,
        _ deadline: ContinuousClock.Instant,
        _ continuation: CheckedContinuation<Result<[PostgresResult], PostgresError>, Never>
    ) {
        exchange.continuation = continuation
        guard !broken else {
            exchange.finish(with: PostgresError(.connectFailed, "the connection had closed; nothing was sent"))
            return
        }
        self.exchange = exchange
        exchange.timer = reactor.setTimer(deadline) { [weak self] in self?.interrupt(exchange, .timeout) }
        guard send(exchange) else { return }
        flush()
        if exchange.interruption != nil { interrupt(exchange, .cancelled) }
    }

    private func send(_ exchange: PostgresExchange) -> Bool {
        exchange.answers.reserveCapacity(exchange.statements.count)
        for statement in exchange.statements {
            guard send(statement, exchange) else {
                die(text)
                return false
            }
        }
        guard PQpipelineSync(handle) == 1 else {
            die(text)
            return false
        }
        return true
    }

    private func send(_ statement: SQL, _ exchange: PostgresExchange) -> Bool {
        var name: String?
        switch prepared?.use(of: statement) ?? .unnamed {
        case .unnamed: break
        case .execute(let known): name = known
        case .prepare(let new):
            guard PQsendPrepare(handle, new, statement.text, 0, nil) == 1 else { return false }
            exchange.answers.append(statement.text)
            name = new
        }
        exchange.answers.append(nil)
        return Self.send(statement, named: name, to: handle)
    }

    /// - Parameter name: of the prepared statement; nil sends the text itself.
    static func send(_ statement: SQL, named name: String? = nil, to handle: OpaquePointer) -> Bool {
        // libpq copies the parameters before it returns.
        let owned = statement.parameters.map { $0.map { strdup($0) } ?? nil }
        defer { for pointer in owned { free(pointer) } }
        let borrowed = owned.map { UnsafePointer($0) }
        let count = Int32(borrowed.count)
        if let name { return PQsendQueryPrepared(handle, name, count, borrowed, nil, nil, 0) == 1 }
        return PQsendQueryParams(handle, statement.text, count, nil, borrowed, nil, nil, 0) == 1
    }

    private func flush() {
        switch PQflush(handle) {
        case 0: watch(writing: false)
        case 1: watch(writing: true)
        default: die(text)
        }
    }

    /// Most writes fit at once: then there is nothing to tell the kernel.
    private func watch(writing: Bool) {
        guard writing != isWriting else { return }
        isWriting = writing
        reactor.watch(socket, writing: writing)
    }

    func ready(readable: Bool, writable: Bool) {
        guard !broken else { return }
        if readable {
            pulse?.hear()
            guard PQconsumeInput(handle) == 1 else { return die(text) }
            receive()
        }
        if writable, !broken { flush() }
    }

    func ended() { die("closed", tell: false) }

    private func receive() {
        while PQisBusy(handle) == 0 {
            guard let exchange else {
                // Nothing was asked: a notice, or the server said good-bye.
                while let stray = PQgetResult(handle) { PQclear(stray) }
                if PQstatus(handle) != CONNECTION_OK { die(text) }
                return
            }
            guard let result = PQgetResult(handle) else {
                if exchange.sawNull() { continue }
                return
            }
            guard exchange.take(result) else { continue }
            finish(exchange)
            return
        }
    }

    private func finish(_ exchange: PostgresExchange) {
        self.exchange = nil
        reactor.cancelTimer(exchange.timer)
        // A cancel request may still be on its way and would hit the next statement: do not use the socket again.
        if exchange.interruption != nil { die("closed after a cancel request") }
        if exchange.isOutOfStep { die("closed because its prepared statements are out of date") }
        for text in exchange.unprepared { prepared?.forget(text) }
        exchange.finish()
    }

    /// Asks the server to stop; the answer comes as an error on this connection. Gives up on a server that is silent.
    private func interrupt(_ exchange: PostgresExchange, _ reason: PostgresError.Code) {
        guard !exchange.finished, exchange.interruption == nil || self.exchange === exchange else { return }
        let first = exchange.interruption == nil || !exchange.cancelSent
        if exchange.interruption == nil { exchange.interruption = reason }
        guard self.exchange === exchange, first else { return }
        exchange.cancelSent = true
        reactor.cancelTimer(exchange.timer)
        exchange.timer = reactor.setTimer(.now + .seconds(2)) { [weak self] in
            self?.die("the server did not answer a cancel request")
        }
        requestCancel()
    }

    /// PQcancel opens a connection of its own and waits for it.
    private func requestCancel() {
        guard let request = PQgetCancel(handle) else { return }
        let opened = Opened(handle: request)
        DispatchQueue.global().async {
            var buffer = [CChar](repeating: 0, count: 256)
            PQcancel(opened.handle, &buffer, 256)
            PQfreeCancel(opened.handle)
        }
    }

    private func die(_ reason: String, tell: Bool = true) {
        guard !broken else { return }
        broken = true
        reactor.remove(socket)
        if let exchange {
            self.exchange = nil
            reactor.cancelTimer(exchange.timer)
            exchange.finish(with: PostgresError(.connectionLost, reason))
        }
        PQfinish(handle)
        if tell { onDeath(self) }
    }

    private var text: String { PostgresConfiguration.message(of: handle) }
}
