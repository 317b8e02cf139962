private import Glibc
import PostgresClient
private import Queue
private import Synchronization

/// Which scheduler is active: a lease in one row of Postgres, judged by its clock.
///
/// Every task of the timetable is safe to run twice, so a short overlap costs work and nothing else.
final class Leadership: Sendable {
    private let postgres: Postgres
    private let holder: String
    private let host: String
    private let active = Mutex(false)

    /// How long a dead scheduler stands in the way.
    static let lease = Duration.seconds(3)
    /// How often the lease is renewed, or asked for. Lease and one more of these are less than the five seconds within which
    /// a dead scheduler is replaced.
    static let beat = Duration.milliseconds(500)

    init(_ postgres: Postgres, holder: String, host: String) {
        self.postgres = postgres
        self.holder = holder
        self.host = host
    }

    var isActive: Bool { active.withLock { $0 } }

    /// Takes or renews the lease.
    ///
    /// - Returns: whether this process is the active one now.
    func renew() async -> Bool {
        let lease = Self.lease.milliseconds
        let renewed = try? await postgres.query(
            """
            INSERT INTO scheduler_state AS s (holder, host, pid, active_since, lease_until)
            VALUES (\(holder), \(host), \(Int(getpid())), clock_timestamp(),
                    clock_timestamp() + \(lease)::bigint * interval '1 millisecond')
            ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, host = excluded.host, pid = excluded.pid,
              lease_until = excluded.lease_until,
              active_since = CASE WHEN s.holder = excluded.holder THEN s.active_since ELSE excluded.active_since END
            WHERE s.holder = excluded.holder OR s.lease_until < clock_timestamp()
            RETURNING holder
            """
        )
        let isActive = renewed?.first != nil
        active.withLock { $0 = isActive }
        return isActive
    }

    /// Gives the lease up, so that the next one need not wait for its end.
    func resign() async {
        _ = try? await postgres.query("UPDATE scheduler_state SET lease_until = 'epoch' WHERE holder = \(holder)")
    }
}
