import Glibc
import Jobs
import Logging
import PostgresClient
import Queue
import RedisClient
import ServiceLifecycle
import Stores
import UnixSignals

/// What every process of the fleet is built from: the two clients, the queue and the stores.
struct Fleet: Sendable {
    let settings: Settings
    let postgres: Postgres
    let redis: Redis
    let queue: JobQueue
    let stores: Stores
    let hooks: TestHooks
    let logger: Logger

    /// - Throws: ``SettingError``, or the client's own error, which names the setting.
    /// - Parameter patience: for how long Postgres may be silent before callers are turned away; nil waits for each statement.
    init(_ settings: Settings, logger: Logger, patience: Duration? = nil) throws {
        let database = try settings.required("DATABASE_URL", example: "postgresql://user:password@host:5432/groundcrew")
        let cache = try settings.required("REDIS_URL", example: "redis://host:6379")
        self.settings = settings
        self.logger = logger
        postgres = Postgres(
            try PostgresConfiguration(
                url: database,
                size: try settings.integer("GC_POOL_SIZE", default: 8, in: 2...200),
                wait: .milliseconds(try settings.integer("GC_POOL_WAIT_MS", default: 5000, in: 10...60_000)),
                patience: patience
            ),
            logger: logger
        )
        redis = Redis(try RedisConfiguration(url: cache), logger: logger)
        let ledger = Ledger(postgres)
        let dispatch = Dispatch(
            redis,
            ledger: ledger,
            queues: QueueName.names,
            namespace: settings["GC_NAMESPACE"] ?? "gc",
            logger: logger
        )
        queue = JobQueue(ledger: ledger, dispatch: dispatch, caps: try Self.waitingCaps(settings))
        stores = Stores(postgres)
        hooks = try TestHooks(environment: settings.environment)
    }

    private static func waitingCaps(_ settings: Settings) throws -> WaitingCaps {
        let standard = WaitingCaps()
        let range = 0...100_000_000
        return WaitingCaps(
            tenant: try settings.integer("GC_TENANT_WAITING_CAP", default: standard.tenant, in: range),
            queue: try settings.integer("GC_QUEUE_CAP", default: standard.queue, in: range)
        )
    }

    /// Says at once, and in full, when Postgres cannot be used: wrong address, refused, no schema.
    func checkDatabase() async throws {
        let hasTables: Bool
        do {
            let found = try await postgres.query("SELECT to_regclass('public.jobs') IS NOT NULL")
            hasTables = try found.first?.decode(Bool.self) ?? false
        } catch {
            throw SettingError(
                "DATABASE_URL",
                "does not lead to a usable Postgres: \(error)",
                "Check host, port, user and database name, and that the server runs.",
                isUnreachable: true
            )
        }
        guard hasTables else {
            throw SettingError(
                "DATABASE_URL",
                "leads to a database without our tables",
                "Run `groundcrew migrate` first.",
                isUnreachable: true
            )
        }
    }

    /// Redis may be away without harm, so this only warns.
    func checkRedis() async {
        do {
            let reply = try await redis.send(["CONFIG", "GET", "maxmemory-policy"], timeout: .seconds(3))
            let policy = reply.array?.last?.string
            if let policy, policy != "noeviction" {
                logger.error(
                    "REDIS_URL leads to a Redis that evicts keys: set maxmemory-policy to noeviction, or hints will vanish",
                    metadata: ["policy": "\(policy)"]
                )
            }
        } catch {
            logger.warning("REDIS_URL: \(error.description) Going on without Redis; the ledger is asked directly.")
        }
    }

    func close() async {
        await redis.close()
        postgres.close()
    }

    /// Runs services until SIGTERM or SIGINT, stops them in reverse order, and closes the clients.
    func run(_ services: [any Service]) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0) },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do {
            try await group.run()
        } catch {
            await close()
            throw error
        }
        await close()
    }

    static func logger(_ settings: Settings, label: String = "groundcrew", level: Logger.Level? = nil) throws -> Logger
    {
        LoggingSystem.bootstrap { label in StreamLogHandler.standardError(label: label) }
        var logger = Logger(label: label)
        logger.logLevel = try level ?? settings.logLevel
        return logger
    }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, 255)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
