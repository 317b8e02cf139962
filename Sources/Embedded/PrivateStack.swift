package import Logging

/// A private Postgres and a private Redis in one folder, started and stopped together.
package struct PrivateStack: Sendable {
    /// The truth: ledger and results.
    package let postgres: PrivatePostgres
    /// Order, wake-ups and limits; may be wiped.
    package let redis: PrivateRedis

    /// Starts both at once in `directory`/postgres and `directory`/redis; when one fails, the other is stopped again.
    ///
    /// - Parameters:
    ///   - directory: made when missing.
    ///   - durability: of both.
    ///   - removedWithParent: the folder goes, with all in it, when this process ends without having called ``stop()``.
    ///   - logger: hears when a server ends unasked.
    /// - Returns: both, running.
    /// - Throws: as ``PrivatePostgres/start(directory:durability:doomedFolder:logger:)`` and
    ///   ``PrivateRedis/start(directory:durability:empty:doomedFolder:logger:)``.
    package static func start(
        directory: String,
        durability: Durability,
        removedWithParent: Bool = false,
        logger: Logger
    ) async throws -> PrivateStack {
        let folder = Path.absolute(directory)
        try Folder.make(folder)
        let doomed = removedWithParent ? folder : nil
        async let redis = PrivateRedis.start(
            directory: folder + "/redis",
            durability: durability,
            doomedFolder: doomed,
            logger: logger
        )
        let postgres: PrivatePostgres
        do {
            postgres = try await PrivatePostgres.start(
                directory: folder + "/postgres",
                durability: durability,
                doomedFolder: doomed,
                logger: logger
            )
        } catch {
            try? await redis.stop()
            throw error
        }
        do { return PrivateStack(postgres: postgres, redis: try await redis) } catch {
            await postgres.stop()
            throw error
        }
    }

    /// For `DATABASE_URL`.
    package var databaseURL: String { postgres.url }

    /// For `REDIS_URL`.
    package var redisURL: String { redis.url }

    /// Ends both servers and returns when they are gone. Their data stay. A second call does nothing.
    package func stop() async {
        async let redisEnd: Void = redis.stop()
        await postgres.stop()
        await redisEnd
    }

    /// Removes the data of a stack that was started in `directory`, also where Postgres' lie elsewhere.
    ///
    /// - Throws: ``EmbeddedError/folderInUse(folder:owner:)`` while it runs.
    package static func erase(directory: String) throws {
        try PrivatePostgres.erase(directory: directory + "/postgres")
        try PrivateRedis.erase(directory: directory + "/redis")
    }
}
