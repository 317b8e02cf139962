package import PostgresClient

/// What an operator decided about a queue. The strings are stored.
package enum QueueMode: String, Sendable, CaseIterable, PostgresEncodable, PostgresDecodable {
    /// Takes jobs and hands them out.
    case open
    /// Takes jobs and hands none out. What runs goes on.
    case paused
    /// Takes no new jobs, hands out those it has, and so runs empty.
    case closed
}

/// A queue's mode, with who set it and why.
package struct QueueSetting: Sendable, Equatable {
    package let queue: String
    package let mode: QueueMode
    package let reason: String
    /// Seconds since it was set.
    package let age: Double
    package let changedBy: String
}

/// A new job was refused: an operator closed its queue.
package struct QueueClosed: Error, Sendable, Equatable, CustomStringConvertible {
    package let queue: String

    package var description: String {
        "The queue \(queue) is closed and takes no new jobs. `groundcrew resume \(queue)` opens it."
    }

    /// The SQLSTATE that the database's `queues_open()` raises.
    static let sqlState = "GC002"

    /// Gives the database's refusal its type.
    static func named<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as PostgresError where error.sqlState == sqlState {
            throw QueueClosed(queue: error.constraint ?? "")
        }
    }
}

extension Ledger {
    /// The condition under which jobs are added; it raises where one of their queues is closed.
    ///
    /// Once per statement, not per row; while nothing is closed, which is nearly always, the names are not even looked at.
    static func whereOpen(_ jobs: [NewJob]) -> SQL {
        """
        WHERE CASE WHEN EXISTS (SELECT 1 FROM queue_settings WHERE mode = 'closed')
                   THEN queues_open(\(Array(Set(jobs.map(\.queue))))::text[]) ELSE true END
        """
    }

    /// Every queue that an operator ever touched.
    package func queueSettings() async throws(PostgresError) -> [QueueSetting] {
        try await postgres.query(
            """
            SELECT queue, mode, reason, extract(epoch FROM clock_timestamp() - changed_at)::float8, changed_by
            FROM queue_settings ORDER BY queue
            """
        ).map { row throws(PostgresError) in
            let (queue, mode, reason, age, changedBy) = try row.decode(
                String.self,
                QueueMode.self,
                String.self,
                Double.self,
                String.self
            )
            return QueueSetting(queue: queue, mode: mode, reason: reason, age: age, changedBy: changedBy)
        }
    }

    static func setMode(_ mode: QueueMode, of queue: String, reason: String, by who: String) -> SQL {
        """
        INSERT INTO queue_settings (queue, mode, reason, changed_by) VALUES (\(queue), \(mode), \(reason), \(who))
        ON CONFLICT (queue) DO UPDATE SET mode = excluded.mode, reason = excluded.reason,
          changed_by = excluded.changed_by, changed_at = now()
        """
    }
}

extension JobQueue {
    /// Opens, pauses or closes a queue. In force with the commit for new jobs and for claims without Redis; for claims
    /// through Redis at once, or within about a second where it could not be told.
    ///
    /// - Parameters:
    ///   - reason: for people; may be empty.
    ///   - who: for people.
    package func setMode(_ mode: QueueMode, of queue: String, reason: String, by who: String) async throws {
        _ = try await postgres.query(Ledger.setMode(mode, of: queue, reason: reason, by: who))
        try? await dispatch.tellModes()
    }
}
