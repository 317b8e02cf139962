import Domain
import PostgresClient
import TestSupport
import Testing

@testable import Stores

@Suite("Attachments in Postgres")
struct AttachmentStoreTests {
    /// A tenant with an engagement.
    private func house(_ world: World, plan: Plan? = .starter) async throws -> (Tenant.ID, Engagement.ID) {
        let tenant = try await world.stores.accounts.createTenant(name: "T", plan: plan)
        let id = Engagement.ID.make()
        _ = try await world.postgres.query(
            """
            INSERT INTO engagements (id, tenant_id, name, client, slug, brief, budget_nanos)
            VALUES (\(id), \(tenant.id), 'N', 'C', 'n', 'B', 1)
            """
        )
        return (tenant.id, id)
    }

    private func new(_ tenant: Tenant.ID, _ engagement: Engagement.ID, _ name: String, size: Int) -> NewAttachment {
        NewAttachment(
            engagement: engagement,
            tenant: tenant,
            label: FileLabel(name),
            mimeType: "text/plain",
            category: .data,
            summary: nil,
            uploadedBy: nil,
            storageKey: BlobKey.make(.attachments),
            digest: BlobDigest(size: size, sha256: Array(repeating: 1, count: 32))
        )
    }

    private func insert(_ world: World, _ new: NewAttachment) async throws -> AttachmentStore.Insertion {
        guard try await world.stores.blobCatalogue.begin(new.storageKey, for: new.tenant) else {
            throw BlobWriter.Taken()
        }
        return try await world.postgres.retryingTransaction { transaction in
            try await world.stores.attachments.insert(new, in: transaction)
        }
    }

    private func usage(_ world: World, _ tenant: Tenant.ID) async throws -> Int {
        try await world.stores.billing.billing(tenant).storageBytes
    }

    @Test("A-10, U-02: 40 uploads at once never exceed the total, and the counter is the sum of what is there")
    func race() async throws {
        let world = try await World.fresh()
        let (tenant, engagement) = try await house(world)
        let inserted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let outcome = try await insert(world, new(tenant, engagement, "\(number).txt", size: 9 << 20))
                    if case .inserted = outcome { return true }
                    return false
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(inserted == 11)
        #expect(try await usage(world, tenant) == 99 << 20)
        let list = try #require(try await world.stores.attachments.list(engagement, tenant))
        #expect(list.map(\.sizeBytes).reduce(0, +) == 99 << 20)
        await world.close()
    }

    @Test("A-9: exactly the total fits, a byte more does not, and a removal makes room")
    func exact() async throws {
        let world = try await World.fresh()
        let (tenant, engagement) = try await house(world, plan: nil)
        guard case .inserted(let first) = try await insert(world, new(tenant, engagement, "a.txt", size: 100 << 20))
        else { throw NeverHappened(description: "the total did not fit") }
        guard case .full = try await insert(world, new(tenant, engagement, "b.txt", size: 1)) else {
            throw NeverHappened(description: "more than the total fitted")
        }
        let deleted = try await world.postgres.transaction { transaction in
            try await world.stores.attachments.delete(first.id, in: engagement, tenant, in: transaction)
        }
        guard case .deleted = deleted else { throw NeverHappened(description: "\(deleted)") }
        #expect(try await usage(world, tenant) == 0)
        #expect(try await world.stores.blobCatalogue.isCondemned(first.storageKey))
        guard case .inserted = try await insert(world, new(tenant, engagement, "b.txt", size: 1)) else {
            throw NeverHappened(description: "no room after a removal")
        }
        await world.close()
    }

    @Test("A-13: twenty files of one name at once get twenty names")
    func names() async throws {
        let world = try await World.fresh()
        let (tenant, engagement) = try await house(world)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { _ = try await insert(world, new(tenant, engagement, "a.md", size: 1)) }
            }
            try await group.waitForAll()
        }
        let names = try #require(try await world.stores.attachments.list(engagement, tenant)).map(\.filename)
        #expect(Set(names) == Set(["a.md"] + (1..<20).map { "a_\($0).md" }))
        await world.close()
    }

    @Test("A-18, X-6: another tenant's engagement takes nothing, shows nothing and loses nothing")
    func foreign() async throws {
        let world = try await World.fresh()
        let (tenant, engagement) = try await house(world)
        let (stranger, _) = try await house(world)
        guard case .noEngagement = try await insert(world, new(stranger, engagement, "a.txt", size: 1)) else {
            throw NeverHappened(description: "a stranger's file was taken")
        }
        guard case .inserted(let own) = try await insert(world, new(tenant, engagement, "a.txt", size: 1)) else {
            throw NeverHappened(description: "the own file was refused")
        }
        #expect(try await world.stores.attachments.list(engagement, stranger) == nil)
        let deleted = try await world.postgres.transaction { transaction in
            try await world.stores.attachments.delete(own.id, in: engagement, stranger, in: transaction)
        }
        guard case .noEngagement = deleted else { throw NeverHappened(description: "\(deleted)") }
        #expect(try await usage(world, stranger) == 0)
        await world.close()
    }

    @Test("C-11: a counter that drifted is found, put right and told of; a right one is left alone")
    func recount() async throws {
        let world = try await World.fresh()
        let (tenant, engagement) = try await house(world)
        _ = try await insert(world, new(tenant, engagement, "a.txt", size: 700))
        #expect(try await StorageUsage.recount(world.postgres).isEmpty)
        _ = try await world.postgres.query("UPDATE usage_counters SET value = 5 WHERE metric = 'storage_bytes'")
        #expect(
            try await StorageUsage.recount(world.postgres) == [.init(tenant: tenant, counted: 5, actual: 700)]
        )
        #expect(try await usage(world, tenant) == 700)
        await world.close()
    }

    @Test("A blob that was given up in the meantime takes the whole insertion back")
    func givenUp() async throws {
        let world = try await World.fresh()
        let (tenant, engagement) = try await house(world)
        let new = new(tenant, engagement, "a.txt", size: 10)
        #expect(try await world.stores.blobCatalogue.begin(new.storageKey, for: tenant))
        #expect(try await world.stores.blobCatalogue.giveUp(new.storageKey))
        await #expect(throws: BlobError.missing) {
            _ = try await world.postgres.transaction { transaction in
                try await world.stores.attachments.insert(new, in: transaction)
            }
        }
        #expect(try await usage(world, tenant) == 0)
        #expect(try await world.stores.attachments.list(engagement, tenant)?.isEmpty == true)
        await world.close()
    }
}
