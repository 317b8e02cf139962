package import Jobs

/// What a worker process is asked to do.
package struct WorkerConfiguration: Sendable {
    package var queues: [QueueName]
    /// Jobs at once.
    package var slots: Int
    /// How long the lease of the session lasts; it is renewed at 30 % of it (design O-10).
    package var lease: Duration
    /// After SIGTERM: how long running jobs may go on before they are handed back.
    package var drain: Duration
    package var version: String

    package init(
        queues: [QueueName] = QueueName.allCases,
        slots: Int = 64,
        lease: Duration = .seconds(10),
        drain: Duration = .seconds(25),
        version: String
    ) {
        self.queues = queues
        self.slots = min(max(1, slots), 1000)
        self.lease = lease
        self.drain = drain
        self.version = version
    }
}
