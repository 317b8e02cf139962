package import Logging

/// One step of the schema: a file that never changes once it has been applied.
package struct Migration: Sendable {
    package let name: String
    package let sql: String

    package init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }
}

/// Brings a database to the newest schema. Any number of processes may run it at once.
package struct Migrator: Sendable {
    private let postgres: Postgres
    private let logger: Logger

    package init(_ postgres: Postgres, logger: Logger) {
        self.postgres = postgres
        self.logger = logger
    }

    /// The migration that was changed after it had been applied.
    package struct Changed: Error, CustomStringConvertible {
        package let name: String

        package var description: String {
            "Migration \(name) was changed after it had been applied to this database. "
                + "Restore the file and put the change into a new migration."
        }
    }

    /// Applies what is missing, each file in a transaction of its own under an advisory lock.
    ///
    /// - Returns: the names of the migrations that this call applied.
    /// - Throws: ``Changed`` where an applied file differs from its recorded checksum; ``PostgresError`` otherwise.
    package func run(_ migrations: [Migration]) async throws -> [String] {
        var applied: [String] = []
        for migration in migrations where try await apply(migration) {
            logger.info("applied migration \(migration.name)")
            applied.append(migration.name)
        }
        return applied
    }

    /// The advisory lock ends with the transaction, so it also works through PgBouncer.
    private func apply(_ migration: Migration) async throws -> Bool {
        // A fleet at work takes its locks in another order than a migration can: who is chosen as a victim tries again.
        try await postgres.retryingTransaction(attempts: 10, timeout: .seconds(300)) { transaction in
            _ = try await transaction.pipeline([
                "SELECT pg_advisory_xact_lock(7216544010)",
                """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                  name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
                """,
            ])
            let known = try await transaction.query(
                """
                SELECT checksum = encode(sha256(convert_to(\(migration.sql), 'UTF8')), 'hex')
                FROM schema_migrations WHERE name = \(migration.name)
                """
            )
            if let row = known.first {
                guard try row.decode(Bool.self) else { throw Changed(name: migration.name) }
                return false
            }
            // A file holds many statements and the extended protocol takes one, so EXECUTE carries them.
            let body = "DO $groundcrew$ BEGIN EXECUTE $migration$\n\(migration.sql)\n$migration$; END $groundcrew$"
            _ = try await transaction.finish([
                SQL(trusted: body),
                """
                INSERT INTO schema_migrations (name, checksum)
                VALUES (\(migration.name), encode(sha256(convert_to(\(migration.sql), 'UTF8')), 'hex'))
                """,
            ])
            return true
        }
    }
}
