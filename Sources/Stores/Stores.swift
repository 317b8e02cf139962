package import PostgresClient

/// The stores, one per room.
package struct Stores: Sendable {
    package let postgres: Postgres
    package let accounts: AccountStore
    package let sessions: SessionStore
    package let members: MemberStore
    package let keys: KeyStore
    package let billing: BillingStore
    package let passwords: PasswordHasher
    package let engagements: EngagementStore
    package let runs: RunStore
    package let webhooks: WebhookStore
    package let outbox: WebhookOutbox
    package let quality: QualityStore
    package let deliverables: DeliverableStore
    package let exports: ExportStore
    package let exportFiles: ExportFiles

    package init(_ postgres: Postgres) {
        self.postgres = postgres
        let passwords = PasswordHasher()
        self.passwords = passwords
        accounts = AccountStore(postgres)
        sessions = SessionStore(postgres, hasher: passwords)
        members = MemberStore(postgres, hasher: passwords)
        keys = KeyStore(postgres)
        billing = BillingStore(postgres)
        engagements = EngagementStore(postgres)
        runs = RunStore(postgres)
        webhooks = WebhookStore(postgres)
        outbox = WebhookOutbox(postgres)
        quality = QualityStore(postgres)
        deliverables = DeliverableStore(postgres)
        exports = ExportStore(postgres)
        exportFiles = ExportFiles(postgres)
    }
}
