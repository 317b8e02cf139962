import Domain
import Embedded
import Foundation
import Logging
import PostgresClient
import Queue
import RedisClient
import Stores

/// The servers of one storm, and the harness's own undisturbed connections to them.
struct Sea: Sendable {
    let folder: String
    let server: PrivatePostgres
    let redisServer: PrivateRedis
    let postgres: Postgres
    let redis: Redis
    let queue: JobQueue
    let stores: Stores
    let namespace = "chaos"

    static let queues = [
        "crew", "project", "plan", "fetch", "export", "index", "webhook", "stripe", "email", "maint",
    ]

    var redisFolder: String { folder + "/redis" }

    /// Where the Postgres server listens: the folder that its address names, and the usual file in it.
    var postgresSocket: String {
        let folder = server.url.components(separatedBy: "host=").last?.removingPercentEncoding ?? ""
        return folder + "/.s.PGSQL.5432"
    }

    /// Durable servers: a kill may cost no commit, or the harness would accuse the fleet of Postgres' losses.
    static func start() async throws -> Sea {
        let folder = "/tmp/gcc-\(getpid())-\(UInt16.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var logger = Logger(label: "chaos")
        logger.logLevel = .critical
        let place = folder + "/postgres"
        let server = try await PrivatePostgres.start(
            directory: place,
            durability: .durable,
            doomedFolder: place,
            logger: logger
        )
        let store = folder + "/redis"
        let redisServer = try await PrivateRedis.start(
            directory: store,
            durability: .durable,
            doomedFolder: store,
            logger: logger
        )
        let postgres = Postgres(try PostgresConfiguration(url: server.url, size: 6), logger: logger)
        let redis = Redis(try RedisConfiguration(url: redisServer.url), logger: logger)
        let ledger = Ledger(postgres)
        let dispatch = Dispatch(redis, ledger: ledger, queues: queues, namespace: "chaos", logger: logger)
        let sea = Sea(
            folder: folder,
            server: server,
            redisServer: redisServer,
            postgres: postgres,
            redis: redis,
            queue: JobQueue(ledger: ledger, dispatch: dispatch),
            stores: Stores(postgres)
        )
        _ = try await Migrator(postgres, logger: logger).run(Schema.migrations)
        for statement in History.tables { _ = try await postgres.query(statement) }
        return sea
    }

    func close() async {
        await redis.close()
        postgres.close()
        await redisServer.stop()
        await server.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Jobs that have not ended: two counts, because each has an index, and a long storm's table has a million rows.
    func open() async throws -> Int {
        try await number(
            "SELECT (SELECT count(*) FROM jobs WHERE state = 'queued') + (SELECT count(*) FROM jobs WHERE state = 'running')"
        )
    }

    func number(_ sql: SQL) async throws -> Int {
        try await postgres.query(sql, timeout: .seconds(300)).first?.decode(Int.self) ?? -1
    }
}

/// The tables in which a storm is recorded. None has a unique constraint: a double must be seen, not prevented.
enum History {
    static let tables: [SQL] = [
        "CREATE TABLE probe_effects (key text, job bigint, attempt int)",
        "CREATE TABLE chaos_acknowledged (low bigint, high bigint)",
        "CREATE TABLE chaos_faults (at timestamptz, kind text, pid int)",
        """
        CREATE TABLE chaos_history (seq bigserial, job bigint, attempt int, was text, state text, before bigint,
                                    session bigint, at timestamptz DEFAULT clock_timestamp())
        """,
        """
        CREATE FUNCTION chaos_record() RETURNS trigger LANGUAGE plpgsql AS $record$ BEGIN
          INSERT INTO chaos_history (job, attempt, was, state, before, session)
          VALUES (NEW.id, NEW.attempt, OLD.state, NEW.state, OLD.session, NEW.session);
          RETURN NULL;
        END $record$
        """,
        """
        CREATE TRIGGER chaos_record AFTER UPDATE ON jobs FOR EACH ROW
          WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.attempt <> NEW.attempt) EXECUTE FUNCTION chaos_record()
        """,
    ]
}
