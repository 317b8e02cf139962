package import Domain
package import PostgresClient
package import RedisClient

/// Lists of engagements as rendered text in Redis, never older than the request that reads them (contract E-3 to E-5).
///
/// The key holds the list's version, which every change draws anew in its own transaction (a trigger in `0006_members`). A
/// reader asks Postgres for the version first, so it can only hit a text that was read after the last commit before its
/// request began. A writer that dies after its commit leaves nothing undone, and nobody has anything to invalidate.
package struct EngagementListCache: Sendable {
    private let postgres: Postgres
    private let engagements: EngagementStore
    private let redis: Redis
    private let namespace: String

    /// Seconds that an unused version stays in Redis.
    private static let lifetime = 60
    /// Larger texts are not worth their place.
    private static let largest = 4 << 20
    /// How long Redis may take before Postgres is asked.
    private static let patience = Duration.milliseconds(500)

    package init(_ postgres: Postgres, engagements: EngagementStore, redis: Redis, namespace: String) {
        self.postgres = postgres
        self.engagements = engagements
        self.redis = redis
        self.namespace = namespace
    }

    /// All of a tenant's engagements as `render` writes them, newest first.
    ///
    /// - Parameter render: must give the same text for the same engagements in every process of one release.
    package func text(
        _ tenant: Tenant.ID,
        render: @Sendable ([Engagement]) -> String
    ) async throws(PostgresError) -> String {
        let found = try await postgres.query("SELECT version::text FROM engagement_lists WHERE tenant_id = \(tenant)")
        // A tenant that never had an engagement has no version.
        let version = try found.first?.decode(String.self) ?? "none"
        let key = "\(namespace):{list:\(tenant)}:\(version)"
        let cached = try? await redis.send(["GET", key], timeout: Self.patience)
        if let text = cached?.string { return text }
        let text = render(try await engagements.list(tenant))
        if cached != nil, text.utf8.count <= Self.largest {
            _ = try? await redis.send(["SET", key, text, "EX", String(Self.lifetime)], timeout: Self.patience)
        }
        return text
    }
}
