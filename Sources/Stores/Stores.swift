package import PostgresClient

/// The stores, one per room.
package struct Stores: Sendable {
    package let postgres: Postgres
    package let accounts: AccountStore
    package let sessions: SessionStore
    package let members: MemberStore
    package let keys: KeyStore
    package let billing: BillingStore
    package let brands: BrandStore
    package let passwords: PasswordHasher
    package let engagements: EngagementStore
    package let runs: RunStore
    package let webhooks: WebhookStore
    package let outbox: WebhookOutbox
    package let quality: QualityStore
    package let emails: EmailStore
    package let deliverables: DeliverableStore
    package let exports: ExportStore
    package let exportFiles: ExportFiles
    package let collectionTasks: CollectionTaskStore
    package let submissions: SubmissionStore
    package let contributors: ContributorStore
    package let collectionDesk: CollectionDesk
    package let payments: PaymentStore
    package let attachments: AttachmentStore
    package let blobCatalogue: BlobCatalogue
    package let context: ContextStore
    package let fetchedPages: FetchedPages
    let walls = KnownWalls()

    package init(_ postgres: Postgres) {
        self.postgres = postgres
        let passwords = PasswordHasher()
        self.passwords = passwords
        accounts = AccountStore(postgres)
        sessions = SessionStore(postgres, hasher: passwords)
        members = MemberStore(postgres, hasher: passwords)
        keys = KeyStore(postgres)
        billing = BillingStore(postgres)
        brands = BrandStore(postgres)
        engagements = EngagementStore(postgres)
        runs = RunStore(postgres)
        webhooks = WebhookStore(postgres)
        outbox = WebhookOutbox(postgres)
        quality = QualityStore(postgres)
        emails = EmailStore(postgres)
        deliverables = DeliverableStore(postgres)
        exports = ExportStore(postgres)
        exportFiles = ExportFiles(postgres)
        collectionTasks = CollectionTaskStore(postgres)
        submissions = SubmissionStore(postgres)
        contributors = ContributorStore(postgres, hasher: passwords)
        collectionDesk = CollectionDesk(postgres)
        payments = PaymentStore(postgres)
        attachments = AttachmentStore(postgres)
        blobCatalogue = BlobCatalogue(postgres)
        context = ContextStore(postgres)
        fetchedPages = FetchedPages(postgres)
    }
}
