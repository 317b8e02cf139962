import API
import Domain
import Glibc
import Jobs
import Logging
import PostgresClient
import Queue
import Scheduler
import ServiceLifecycle
import Stores
import Worker

/// The three processes, as services that `dev` runs together and the fleet runs apart.
extension Fleet {
    func migrate() async throws -> [String] {
        do {
            let applied = try await Migrator(postgres, logger: logger).run(Schema.migrations)
            if try await !stores.raiseWalls() {
                logger.warning("row-level security is off: \(Stores.wallRemedy)")
            }
            return applied
        } catch let error as PostgresError where error.isUnavailable {
            throw SettingError(
                "DATABASE_URL",
                "does not lead to a usable Postgres: \(error)",
                "Check host, port, user and database name, and that the server runs.",
                isUnreachable: true
            )
        }
    }

    /// - Throws: ``SettingError`` where a setting of the API is missing or wrong.
    func api(
        host: String,
        port: Int,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> any Service {
        APIService.application(
            stores: stores,
            queue: queue,
            host: host,
            port: port,
            settings: try apiSettings(host: host),
            logger: logger,
            onListening: onListening
        )
    }

    func worker(queues: [QueueName] = QueueName.allCases, slots: Int? = nil) throws -> any Service {
        let slots = try slots ?? settings.integer("GC_WORKER_SLOTS", default: 64, in: 1...1000)
        let configuration = WorkerConfiguration(
            queues: queues,
            slots: slots,
            lease: .seconds(try settings.integer("GC_LEASE_SECONDS", default: 10, in: 1...3600)),
            drain: .seconds(try settings.integer("GC_DRAIN_SECONDS", default: 25, in: 0...3600)),
            version: Groundcrew.version
        )
        let services = JobServices(
            stores: stores,
            models: try models(),
            documents: documents(),
            hooks: hooks,
            webhooks: try webhooks(),
            payments: try paymentServices(),
            blobs: try blobs(),
            pages: try pages(),
            mail: try mail(),
            texts: try texts()
        )
        return WorkerService(configuration, queue: queue, services: services, logger: logger)
    }

    /// - Throws: ``SettingError``
    func scheduler() throws -> any Service {
        let name = "\(Fleet.hostName):\(getpid()):\(CUID.make())"
        return SchedulerService(
            queue,
            name: name,
            host: Fleet.hostName,
            hooks: hooks,
            retention: try settings.span("GC_DONE_RETENTION", default: .seconds(86_400)),
            paidModes: Set(stripeKeys.keys),
            liveKeys: liveStripeKeys,
            logger: logger
        )
    }
}
