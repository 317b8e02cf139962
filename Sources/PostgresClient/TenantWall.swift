private import Synchronization

/// What a call may see of the database, enforced by Postgres itself: everything below it runs as another role, with a
/// setting that row-level policies are held against.
///
/// Both are local to a transaction (`set_config(…, true)`), and travel in front of its first statement in the same write:
/// no further round trip, and nothing of it stays on a connection or at a pooler.
final class TenantWall: Sendable {
    @TaskLocal static var current: TenantWall?

    private let pool: Postgres
    /// Sent in front of statements.
    let raise: SQL
    /// Sent behind them within a transaction that goes on without the wall.
    let lower: SQL
    private let isStanding = Mutex(true)

    init(_ pool: Postgres, role: String, setting: String, value: String) {
        self.pool = pool
        raise = "SELECT set_config(\(setting), \(value), true), set_config('role', \(role), true)"
        lower = "SELECT set_config('role', 'none', true), set_config(\(setting), '', true)"
    }

    /// The wall around the present task, if it is for this pool. A task that outlives the call is not behind it any more.
    static func around(_ pool: Postgres) -> TenantWall? {
        guard let wall = current, wall.pool === pool, wall.isStanding.withLock({ $0 }) else { return nil }
        return wall
    }

    func end() {
        isStanding.withLock { $0 = false }
    }
}

extension Postgres {
    /// Runs `body` behind a wall: whatever it does with this pool, through any store, is done as `role`, with `setting` set
    /// to `value` for each of its transactions. Within a transaction that encloses the caller, its own statements alone are.
    ///
    /// The pool's account must be a member of the role.
    package func behindWall<Value: Sendable>(
        role: String,
        setting: String,
        value: String,
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        let wall = TenantWall(self, role: role, setting: setting, value: value)
        defer { wall.end() }
        return try await TenantWall.$current.withValue(wall) { try await body() }
    }
}
