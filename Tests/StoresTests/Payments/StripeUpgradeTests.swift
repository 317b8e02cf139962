import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

@Suite("Upgrades of databases with Stripe's events")
struct StripeUpgradeTests {
    private func hasIndex(_ postgres: Postgres) async throws -> Bool {
        try await postgres.query("SELECT to_regclass('stripe_events_objects') IS NOT NULL").first?
            .decode(Bool.self) ?? false
    }

    @Test("0023 finds what Stripe last said of an account by an index, which is there for as long as it is needed")
    func index() async throws {
        let world = try await World.fresh()
        let url = try await TestStack.shared().freshDatabase()
        let postgres = Postgres(try PostgresConfiguration(url: url, size: 2), logger: world.logger)
        let migrator = Migrator(postgres, logger: world.logger)
        let place = try #require(Schema.migrations.firstIndex { $0.name == "0023_stripe_modes" })
        _ = try await migrator.run(Array(Schema.migrations[..<place]))
        #expect(try await hasIndex(postgres))
        _ = try await postgres.pipeline([
            """
            INSERT INTO users (id, kind, name) SELECT 'u' || i, 'contributor', 'C' FROM generate_series(1, 3) i
            """,
            """
            INSERT INTO payout_accounts (user_id, livemode, stripe_account_id)
            SELECT 'u' || i, true, 'acct_' || i FROM generate_series(1, 3) i
            """,
            """
            INSERT INTO stripe_events (id, type, object_id, livemode, created, payload) VALUES
              ('evt_1', 'account.updated', 'acct_1', true, to_timestamp(100), '{}'),
              ('evt_2', 'account.updated', 'acct_1', false, to_timestamp(200), '{}'),
              ('evt_3', 'account.updated', 'acct_2', true, to_timestamp(300), '{}')
            """,
        ])
        _ = try await migrator.run(Schema.migrations)
        let modes = try await postgres.query(
            "SELECT coalesce(stripe_livemode::text, '-') FROM payout_accounts ORDER BY stripe_account_id"
        ).map { try $0.decode(String.self) }
        #expect(modes == ["false", "true", "-"])
        #expect(try await !hasIndex(postgres))
        postgres.close()
        await world.close()
    }

    @Test("A database that has had 0023 gets no such index")
    func late() async throws {
        let world = try await World.fresh()
        let migration = try #require(Schema.migrations.first { $0.name == "0022b_stripe_event_objects" })
        _ = try await world.postgres.query(
            "DELETE FROM schema_migrations WHERE name IN ('0022b_stripe_event_objects', '0028_brand_drafts')"
        )
        #expect(try await Migrator(world.postgres, logger: world.logger).run([migration]) == [migration.name])
        #expect(try await !hasIndex(world.postgres))
        await world.close()
    }
}
