package import PostgresClient

/// The stores, one per room.
package struct Stores: Sendable {
    package let postgres: Postgres
    package let accounts: AccountStore
    package let engagements: EngagementStore
    package let runs: RunStore

    package init(_ postgres: Postgres) {
        self.postgres = postgres
        accounts = AccountStore(postgres)
        engagements = EngagementStore(postgres)
        runs = RunStore(postgres)
    }
}
