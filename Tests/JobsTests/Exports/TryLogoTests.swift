import Crew
import Domain
import Foundation
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

@Suite("Logos that are drawn once before they are kept", .serialized)
struct TryLogoTests {
    /// Draws, or fails, and does something in between.
    private struct Press: DocumentRenderer {
        var fault: RenderFault?
        var meanwhile: @Sendable () async throws -> Void = {}

        func pdf(of report: ClientReport) async throws -> [UInt8] {
            try await meanwhile()
            if let fault { throw fault }
            return Array("%PDF-".utf8)
        }
    }

    private static let old = BrandLogo(stored: [1], kind: .png)
    private static let new = BrandLogo(stored: [2, 3], kind: .jpeg)

    /// A tenant with a colour and the old logo.
    private func tenant(_ world: World) async throws -> Tenant.ID {
        let tenant = try await world.stores.accounts.createTenant(name: "T", plan: nil).id
        let brand = Brand(color: try BrandColor("#ffb000"), logo: Self.old)
        #expect(try await world.stores.brands.set(brand, for: tenant))
        return tenant
    }

    private func run(_ job: TryLogo, _ press: Press?, _ world: World) async throws -> Outcome {
        let routing = CrewRouting(prices: PriceTable(unpricedIsFree: true), providers: [], defaultModel: nil)
        let services = JobServices(
            stores: world.stores,
            models: Models(routing: routing, providers: [], allowSimulation: false),
            documents: press
        )
        let id = try #require(try await world.queue.enqueue(job))
        let session = try await world.session()
        let claimed = try #require(
            try Ledger.claimed(await world.postgres.query(Ledger.claim([id], session: session))).first
        )
        return try await job.run(
            JobContext(job: claimed, queue: world.queue, services: services, logger: world.logger)
        )
    }

    private func answer(_ world: World) async throws -> String {
        let row = try await world.postgres.query("SELECT coalesce(result->>'drawn', 'none') FROM jobs").first
        return try row?.decode(String.self) ?? "no job"
    }

    @Test("E-56: a logo is the tenant's once it was drawn, and until then the old one; the colour stays")
    func drawn() async throws {
        let world = try await World.fresh(queues: QueueName.names).agreed()
        let (tenant, brands) = (try await tenant(world), world.stores.brands)
        let draft = try await brands.stage(Self.new, for: tenant)
        #expect(try await brands.brand(of: tenant).logo == Self.old)
        #expect(try await run(TryLogo(tenant: tenant, draft: draft), Press(), world) == .settled)
        #expect(try await brands.brand(of: tenant) == Brand(color: try BrandColor("#ffb000"), logo: Self.new))
        #expect(try await brands.draft(draft, of: tenant) == nil)
        #expect(try await answer(world) == "true")
        await world.close()
    }

    @Test("E-56: a logo that cannot be drawn is forgotten, and the old one stays")
    func damaged() async throws {
        let world = try await World.fresh(queues: QueueName.names).agreed()
        let (tenant, brands) = (try await tenant(world), world.stores.brands)
        let draft = try await brands.stage(Self.new, for: tenant)
        let press = Press(fault: .failed("no picture"))
        #expect(try await run(TryLogo(tenant: tenant, draft: draft), press, world) == .settled)
        #expect(try await brands.brand(of: tenant).logo == Self.old)
        #expect(try await brands.draft(draft, of: tenant) == nil)
        #expect(try await answer(world) == "false")
        await world.close()
    }

    @Test("A worker that cannot draw says what to install, and the logo goes on waiting")
    func absent() async throws {
        let world = try await World.fresh(queues: QueueName.names).agreed()
        let (tenant, brands) = (try await tenant(world), world.stores.brands)
        let draft = try await brands.stage(Self.new, for: tenant)
        let fault = RenderFault.notInstalled("/none")
        let job = TryLogo(tenant: tenant, draft: draft)
        #expect(try await run(job, Press(fault: fault), world) == .refuse(fault.description))
        #expect(try await run(job, nil, world) == .refuse("this worker makes no documents"))
        #expect(try await brands.draft(draft, of: tenant) == Self.new)
        await world.close()
    }

    @Test("A logo that another one has followed is not set, not even while it is drawn")
    func overtaken() async throws {
        let world = try await World.fresh(queues: QueueName.names).agreed()
        let (tenant, brands) = (try await tenant(world), world.stores.brands)
        let first = try await brands.stage(Self.new, for: tenant)
        let press = Press(meanwhile: { _ = try await brands.stage(BrandLogo(stored: [4], kind: .png), for: tenant) })
        await #expect(throws: Moot.self) { try await run(TryLogo(tenant: tenant, draft: first), press, world) }
        #expect(try await brands.brand(of: tenant).logo == Self.old)
        let outcome = try await run(TryLogo(tenant: tenant, draft: first), Press(), world)
        guard case .cancel = outcome else { throw NeverHappened(description: "\(outcome)") }
        await world.close()
    }
}
