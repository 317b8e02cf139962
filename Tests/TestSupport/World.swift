import Embedded
package import Logging
package import PostgresClient
package import Queue
package import RedisClient
package import Stores

/// A database, a Redis namespace and a queue for one test alone, on the servers of the test process.
package struct World: Sendable {
    package let databaseURL: String
    package let redisURL: String
    package let namespace: String
    package let postgres: Postgres
    package let redis: Redis
    package let queue: JobQueue
    package let stores: Stores
    package let logger: Logger

    package var ledger: Ledger { queue.ledger }
    package var dispatch: Dispatch { queue.dispatch }

    /// - Parameters:
    ///   - queues: the queues of the installation.
    ///   - redisURL: another Redis than the shared one, for tests that flush or kill it.
    package static func fresh(
        queues: [String] = ["alpha", "beta", "crew", "maint"],
        redisURL: String? = nil
    ) async throws -> World {
        let stack = try await TestStack.shared()
        let database = try await stack.freshDatabase(template: try await template.value)
        var logger = Logger(label: "world")
        logger.logLevel = .critical
        let namespace = "t\(UInt64.random(in: 0 ... .max))"
        let postgres = Postgres(try PostgresConfiguration(url: database, size: 8, wait: .seconds(30)), logger: logger)
        let address = redisURL ?? stack.redisURL
        let redis = Redis(try RedisConfiguration(url: address), logger: logger)
        let ledger = Ledger(postgres)
        let dispatch = Dispatch(redis, ledger: ledger, queues: queues, namespace: namespace, logger: logger)
        return World(
            databaseURL: database,
            redisURL: address,
            namespace: namespace,
            postgres: postgres,
            redis: redis,
            queue: JobQueue(ledger: ledger, dispatch: dispatch),
            stores: Stores(postgres),
            logger: logger
        )
    }

    /// The same installation on another, empty database, which is migrated here.
    package static func on(_ databaseURL: String, like other: World) async throws -> World {
        let postgres = Postgres(try PostgresConfiguration(url: databaseURL, size: 4), logger: other.logger)
        _ = try await Migrator(postgres, logger: other.logger).run(Schema.migrations)
        let redis = Redis(try RedisConfiguration(url: other.redisURL), logger: other.logger)
        let ledger = Ledger(postgres)
        let dispatch = Dispatch(
            redis,
            ledger: ledger,
            queues: other.dispatch.queues,
            namespace: other.namespace,
            logger: other.logger
        )
        return World(
            databaseURL: databaseURL,
            redisURL: other.redisURL,
            namespace: other.namespace,
            postgres: postgres,
            redis: redis,
            queue: JobQueue(ledger: ledger, dispatch: dispatch),
            stores: Stores(postgres),
            logger: other.logger
        )
    }

    /// Redis agrees with the ledger from here on.
    @discardableResult
    package func agreed() async throws -> World {
        try await eventually(within: .seconds(10), "Redis to agree with the ledger") {
            await dispatch.verify() != .unreachable && dispatch.isAgreed
        }
        return self
    }

    /// A session that may claim from all queues, as a worker opens it.
    package func session(lease: Duration = .seconds(30), slots: Int = 100) async throws -> Int {
        let card = WorkerCard(
            host: "test",
            processID: 1,
            version: "test",
            queues: dispatch.queues,
            kinds: [],
            slots: slots
        )
        let id = try await ledger.openSession(card, lease: lease)
        try await dispatch.open(session: id)
        return id
    }

    package func count(_ condition: SQL) async throws -> Int {
        let result = try await postgres.query("SELECT count(*) FROM jobs WHERE \(clause: condition)")
        return try result.first?.decode(Int.self) ?? 0
    }

    package func close() async {
        await redis.close()
        postgres.close()
    }

    /// A migrated database that nobody is connected to; the fast way to another one.
    private static let template = Task {
        let stack = try await TestStack.shared()
        let url = try await stack.freshDatabase()
        let logger = Logger(label: "template")
        let postgres = Postgres(try PostgresConfiguration(url: url, size: 1), logger: logger)
        let name = try await postgres.query("SELECT current_database()").first?.decode(String.self) ?? ""
        _ = try await Migrator(postgres, logger: logger).run(Schema.migrations)
        postgres.close()
        return name
    }
}
