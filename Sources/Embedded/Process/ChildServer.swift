import Glibc
import Logging
import Subprocess
import Synchronization

/// A server program running on its ``Lifeline``.
///
/// Orders go down the lifeline, so no signal is ever sent to a process id that somebody else has got by now.
final class ChildServer: Sendable {
    /// The server itself, not the shell around it.
    let processID: Int32
    private let orders: AsyncStream<String>.Continuation
    private let state: State

    private init(processID: Int32, orders: AsyncStream<String>.Continuation, state: State) {
        self.processID = processID
        self.orders = orders
        self.state = state
    }

    /// Starts the program and returns as soon as it has a process id; it is not ready to answer yet.
    ///
    /// - Throws: ``EmbeddedError/leftoversAlive(folder:seconds:)``, an error that says why the shell failed, or
    ///   `CancellationError`.
    static func start(_ lifeline: Lifeline, name: String, logger: Logger) async throws -> ChildServer {
        // An order may meet a server that has just died: the write shall fail, not end this process.
        signal(SIGPIPE, SIG_IGN)
        let (orders, orderSink) = AsyncStream.makeStream(of: String.self)
        let (lines, lineSink) = AsyncStream.makeStream(of: String.self)
        let state = State()
        // The one owner of the process: swift-subprocess ties a child to a closure, and a server outlives every call.
        Task {
            await hold(lifeline, orders: orders, lines: lineSink, name: name, logger: logger)
            if state.end() { logger.error("A private server ended unasked", metadata: ["server": "\(name)"]) }
            lineSink.finish()
        }
        do {
            let processID = try await announced(by: lines, lifeline: lifeline, name: name)
            return ChildServer(processID: processID, orders: orderSink, state: state)
        } catch {
            // Nobody would be left to end it.
            state.expectEnd()
            orderSink.yield("KILL")
            throw error
        }
    }

    /// Whether the server and its shell are gone.
    var hasEnded: Bool { state.hasEnded }

    /// Asks the server to end with `signal` and waits up to `limit`, then kills it. Returns when it is gone.
    func end(signal: String, within limit: Duration) async {
        state.expectEnd()
        orders.yield(signal)
        if await Condition.holds(within: limit, { self.hasEnded }) { return }
        await kill()
    }

    /// Kills the server at once (SIGKILL) and returns when it is gone.
    func kill() async {
        state.expectEnd()
        orders.yield("KILL")
        _ = await Condition.holds(within: .seconds(10)) { self.hasEnded }
    }

    private static func hold(
        _ lifeline: Lifeline,
        orders: AsyncStream<String>,
        lines: AsyncStream<String>.Continuation,
        name: String,
        logger: Logger
    ) async {
        var options = PlatformOptions()
        options.createSession = true
        do {
            _ = try await Subprocess.run(
                .name("sh"),
                arguments: Arguments(lifeline.arguments),
                environment: Program.environment,
                platformOptions: options,
                input: .inputWriter,
                output: .sequence,
                error: .combinedWithOutput
            ) { execution in
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        for await order in orders { _ = try await execution.standardInputWriter.write(order + "\n") }
                    }
                    // The shell alone holds this pipe: its end is the end of shell and server.
                    for try await line in execution.standardOutput.strings() { lines.yield(line) }
                    group.cancelAll()
                }
            }
        } catch {
            logger.debug("Lost a private server", metadata: ["server": "\(name)", "error": "\(error)"])
        }
    }

    private static func announced(by lines: AsyncStream<String>, lifeline: Lifeline, name: String) async throws -> Int32
    {
        var said: [String] = []
        for await line in lines {
            if line.hasPrefix(Lifeline.announcement), let id = Int32(line.dropFirst(Lifeline.announcement.count)) {
                return id
            }
            if line == Lifeline.busy {
                throw EmbeddedError.leftoversAlive(
                    folder: Path.parent(lifeline.lockFile),
                    seconds: lifeline.graceSeconds
                )
            }
            said.append(line)
        }
        try Task.checkCancellation()
        throw EmbeddedError.programFailed(command: name, output: said.joined(separator: " "))
    }
}

/// What is known about the process, shared between its owner and its users.
private final class State: Sendable {
    private let flags = Mutex((ended: false, expected: false))

    var hasEnded: Bool { flags.withLock { $0.ended } }

    func expectEnd() { flags.withLock { $0.expected = true } }

    /// Marks the end; true when nobody had asked for it.
    func end() -> Bool {
        flags.withLock {
            $0.ended = true
            return !$0.expected
        }
    }
}
