package import PostgresClient

/// How many jobs of one key may run at once in a queue, whatever the jobs say themselves.
package struct KeyLimit: Sendable, Hashable {
    package let queue: String
    /// Nil for every key of the queue that has no limit of its own.
    package let key: String?
    /// Jobs at once, of each tenant; 0 is no cap.
    package let concurrency: Int

    package init(queue: String, key: String? = nil, concurrency: Int) {
        self.queue = queue
        self.key = key
        self.concurrency = concurrency
    }
}

/// Limits of keys, set by operators: they go before the number that a job brings along.
extension Ledger {
    /// All of them, by queue and key.
    package func keyLimits() async throws(PostgresError) -> [KeyLimit] {
        try await postgres.query(
            "SELECT queue, nullif(key, ''), concurrency FROM key_limits ORDER BY queue, key"
        ).map { row throws(PostgresError) in
            let (queue, key, concurrency) = try row.decode(String.self, String?.self, Int.self)
            return KeyLimit(queue: queue, key: key, concurrency: concurrency)
        }
    }

    /// Sets the limit of one key, or of all others.
    package static func set(_ limit: KeyLimit) -> SQL {
        """
        INSERT INTO key_limits (queue, key, concurrency) VALUES (\(limit.queue), \(limit.key ?? ""), \(limit.concurrency))
        ON CONFLICT (queue, key) DO UPDATE SET concurrency = excluded.concurrency
        """
    }

    /// Takes such a limit back; what the jobs say then holds.
    package static func removeKeyLimit(queue: String, key: String?) -> SQL {
        "DELETE FROM key_limits WHERE queue = \(queue) AND key = \(key ?? "")"
    }

    /// A job's key and the number that it brings along, as ``ConcurrencyKey/init(ledger:)`` reads it; NULL without a key.
    package static let place: SQL = "coalesce(per_key, 0) || ':' || concurrency_key"

    /// How many of the key of a row `j` may run at once; 0 is no cap, NULL is a job without a key.
    static let keyCap: SQL = """
        CASE WHEN j.concurrency_key IS NOT NULL THEN coalesce(
          (SELECT concurrency FROM key_limits k WHERE k.queue = j.queue AND k.key = j.concurrency_key),
          (SELECT concurrency FROM key_limits k WHERE k.queue = j.queue AND k.key = ''), j.per_key, 0) END
        """
}
