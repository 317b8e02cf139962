import Domain
import PostgresClient

/// Looks up the callers behind API keys: for each request anew, for requests at the same time together.
struct CallersByKey: Sendable {
    /// Questions are hashes of keys, as Postgres writes bytes.
    private typealias Lookup = Gathering<String, Result<Caller?, PostgresError>>

    private let lookup: Lookup

    init(_ postgres: Postgres) {
        lookup = Lookup { hashes in
            do throws(PostgresError) {
                let known = try await Self.callers(hashes.map { $0.question }, postgres)
                return hashes.map { .success(known[$0.question]) }
            } catch {
                return hashes.map { _ in .failure(error) }
            }
        }
    }

    func caller(key: String) async throws(PostgresError) -> Caller? {
        try await lookup.ask(Secret.hash(key).postgresText).answer.get()
    }

    private static func callers(
        _ hashes: [String],
        _ postgres: Postgres
    ) async throws(PostgresError) -> [String: Caller] {
        let found = try await postgres.queryWithOnePlan(
            """
            SELECT q.hash, k.id, k.tenant_id, k.created_by, k.scopes, k.mode, k.engagement_id,
                   coalesce(k.last_used_at < now() - interval '1 minute', true)
            FROM unnest(\(hashes)::text[]) q (hash) CROSS JOIN LATERAL (
              SELECT * FROM api_keys WHERE key_hash = q.hash::bytea
              UNION ALL SELECT * FROM api_keys WHERE old_key_hash = q.hash::bytea AND old_until > now()) k
            JOIN memberships m ON m.tenant_id = k.tenant_id AND m.user_id = k.created_by AND m.status = 'active'
            WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
            """
        )
        var callers: [String: Caller] = [:]
        var stale: [String] = []
        for row in found {
            let (hash, id, tenant, user, scopes, mode, engagement, isStale) = try row.decode(
                String.self,
                String.self,
                Tenant.ID.self,
                User.ID.self,
                [String].self,
                KeyMode.self,
                Engagement.ID?.self,
                Bool.self
            )
            let known = Set(scopes.compactMap(Scope.init(rawValue:)))
            callers[hash] = Caller(
                tenant: tenant,
                user: user,
                key: id,
                scopes: known,
                mode: mode,
                engagement: engagement
            )
            if isStale { stale.append(id) }
        }
        if !stale.isEmpty { await writeDown(stale, postgres) }
        return callers
    }

    /// When keys were used is not worth waiting for somebody's lock, nor for a caller to be turned away.
    private static func writeDown(_ keys: [String], _ postgres: Postgres) async {
        _ = try? await postgres.query(
            """
            UPDATE api_keys SET last_used_at = now() WHERE id IN (
              SELECT id FROM api_keys WHERE id = ANY(\(keys)::text[]) FOR NO KEY UPDATE SKIP LOCKED)
            """
        )
    }
}
