package import Logging
package import Queue
package struct CrewRecovery: Sendable {
    package init(_ queue: JobQueue, logger: Logger) {}
    package func run() async throws {}
}
