package import Domain
package import PostgresClient
package import RedisClient
private import Synchronization

/// Lists of engagements as rendered text in Redis and in this process, never older than the request that reads them (contract
/// E-3 to E-5).
///
/// A text's key holds the list's version, which every change draws anew in its own transaction (a trigger in `0006_members`). A
/// reader asks Postgres for the version first, so it can only hit a text that was read after the last commit before its
/// request began. A writer that dies after its commit leaves nothing undone, and nobody has anything to invalidate.
package struct EngagementListCache: Sendable {
    private let postgres: Postgres
    private let engagements: EngagementStore
    private let redis: Redis
    private let namespace: String
    private let versions: Gathering<Tenant.ID, Result<String, PostgresError>>
    private let recent = RecentTexts()

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
        versions = Gathering { tenants in
            do throws(PostgresError) {
                let known = try await Self.versions(of: tenants.map { $0.question }, postgres)
                // A tenant that never had an engagement has no version.
                return tenants.map { .success(known[$0.question] ?? "none") }
            } catch {
                return tenants.map { _ in .failure(error) }
            }
        }
    }

    private static func versions(
        of tenants: [Tenant.ID],
        _ postgres: Postgres
    ) async throws(PostgresError) -> [Tenant.ID: String] {
        let ids = tenants.map { $0.rawValue }
        let found = try await postgres.queryWithOnePlan(
            "SELECT tenant_id, version::text FROM engagement_lists WHERE tenant_id = ANY(\(ids)::text[])"
        )
        var versions: [Tenant.ID: String] = [:]
        for row in found {
            let (tenant, version) = try row.decode(Tenant.ID.self, String.self)
            versions[tenant] = version
        }
        return versions
    }

    /// All of a tenant's engagements as `render` writes them, newest first.
    ///
    /// - Parameter render: must give the same text for the same engagements in every process of one release.
    package func text(
        _ tenant: Tenant.ID,
        render: @Sendable ([Engagement]) -> String
    ) async throws(PostgresError) -> String {
        let version = try await versions.ask(tenant).answer.get()
        if let text = recent.text(of: tenant, version) { return text }
        let key = "\(namespace):{list:\(tenant)}:\(version)"
        let cached = try? await redis.send(["GET", key], timeout: Self.patience)
        if let text = cached?.string {
            recent.keep(text, of: tenant, version)
            return text
        }
        let text = render(try await engagements.list(tenant))
        if cached != nil, text.utf8.count <= Self.largest {
            _ = try? await redis.send(["SET", key, text, "EX", String(Self.lifetime)], timeout: Self.patience)
        }
        recent.keep(text, of: tenant, version)
        return text
    }
}

/// The last texts of this process: those that are asked for all the time are not sent over again.
private final class RecentTexts: Sendable {
    private static let capacity = 256
    /// Bytes; larger ones stay in Redis alone.
    private static let largest = 64 << 10
    private let texts = Mutex<[Tenant.ID: (version: String, text: String)]>([:])

    func text(of tenant: Tenant.ID, _ version: String) -> String? {
        texts.withLock { texts in
            guard let known = texts[tenant], known.version == version else { return nil }
            return known.text
        }
    }

    func keep(_ text: String, of tenant: Tenant.ID, _ version: String) {
        texts.withLock { texts in
            texts[tenant] = nil
            guard text.utf8.count <= Self.largest else { return }
            // Any one gives way: it is a round trip that is lost, nothing else.
            if texts.count >= Self.capacity { texts.remove(at: texts.startIndex) }
            texts[tenant] = (version, text)
        }
    }
}
