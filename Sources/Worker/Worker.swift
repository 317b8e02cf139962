private import Glibc
package import Jobs
package import Logging
private import PostgresClient
package import Queue
import ServiceLifecycle
private import Synchronization

/// A worker process: opens a session, runs jobs under its lease, and opens another one should the lease be lost.
///
/// Stops on SIGTERM as reliability.md asks: quiet, drain, hand back.
package struct WorkerService: Service, CustomStringConvertible {
    /// For the lifecycle's log lines, which would otherwise show all that the worker holds, its secrets too.
    package var description: String { "worker" }

    private let configuration: WorkerConfiguration
    private let queue: JobQueue
    private let services: JobServices
    private let logger: Logger

    package init(_ configuration: WorkerConfiguration, queue: JobQueue, services: JobServices, logger: Logger) {
        self.configuration = configuration
        self.queue = queue
        self.services = services
        self.logger = logger
    }

    package func run() async throws {
        let stop = StopFlag()
        try await withTaskCancellationOrGracefulShutdownHandler {
            while !stop.isSet {
                guard let session = await open(stop) else { break }
                stop.attach(session)
                // A task of its own, because cancelling us must not cut the drain short: it ends the session.
                let end = await Task { await session.run(heartbeatOn: queue.postgres.configuration) }.value
                stop.detach()
                switch end {
                case .drained: return
                case .stalled(let reason): throw StalledWorker(description: reason)
                case .lost(let reason):
                    logger.error("the session was lost; opening a new one", metadata: ["reason": "\(reason)"])
                }
            }
        } onCancelOrGracefulShutdown: {
            stop.set()
        }
    }

    /// Tries until Postgres answers, or until the process is asked to stop.
    private func open(_ stop: StopFlag) async -> WorkerSession? {
        if let mutant = services.hooks.mutant { logger.critical("running with a seeded bug: \(mutant.rawValue)") }
        while !stop.isSet {
            do {
                let session = try await session()
                StartupCode.release()
                return session
            } catch {
                logger.error("no session could be opened; trying again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(Int.random(in: 250...1000)))
            }
        }
        return nil
    }

    private func session() async throws -> WorkerSession {
        let card = WorkerCard(
            host: Self.hostName(),
            processID: Int(getpid()),
            version: configuration.version,
            queues: configuration.queues.map(\.rawValue),
            kinds: JobKind.allCases.map(\.rawValue),
            slots: configuration.slots
        )
        let id = try await queue.ledger.openSession(card, lease: configuration.lease)
        var logger = logger
        logger[metadataKey: "session"] = "\(id)"
        logger.info("worker session open", metadata: ["slots": "\(configuration.slots)"])
        return WorkerSession(
            id: id,
            configuration: configuration,
            queue: queue,
            executor: Executor(queue: queue, services: services, logger: logger),
            hooks: services.hooks,
            logger: logger
        )
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, 255)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Ends the process with an error, so that its supervisor starts a fresh one.
private struct StalledWorker: Error, CustomStringConvertible {
    let description: String
}

/// Remembers that the process shall stop, and tells the session that is open.
private final class StopFlag: Sendable {
    private struct State {
        var stopping = false
        var session: WorkerSession?
    }

    private let state = Mutex(State())

    var isSet: Bool { state.withLock { $0.stopping } }

    func set() {
        let session = state.withLock { state in
            let first = !state.stopping
            state.stopping = true
            return first ? state.session : nil
        }
        drain(session)
    }

    func attach(_ session: WorkerSession) {
        let stopping = state.withLock { state in
            state.session = session
            return state.stopping
        }
        if stopping { drain(session) }
    }

    func detach() {
        state.withLock { $0.session = nil }
    }

    private func drain(_ session: WorkerSession?) {
        guard let session else { return }
        // A shutdown handler cannot wait; the session's own loop ends when the drain does.
        Task { await session.drain() }
    }
}
