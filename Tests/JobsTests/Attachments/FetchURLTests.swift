import Crew
import Domain
import Foundation
import Jobs
import LLM
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// Pages that become attachments, by jobs that are run here.
@Suite("Fetching a page as an attachment")
struct FetchURLTests {
    private struct House {
        let world: World
        let tenant: Tenant.ID
        let user: User.ID
        let engagement: Engagement.ID
        let session: Int
        let folder: String

        static func open() async throws -> House {
            let world = try await World.fresh(queues: QueueName.names)
            let tenant = try await world.stores.accounts.createTenant(name: "T", plan: .enterprise)
            let engagement = Engagement.ID.make()
            _ = try await world.postgres.pipeline([
                """
                INSERT INTO engagements (id, tenant_id, name, client, slug, brief, budget_nanos)
                VALUES (\(engagement), \(tenant.id), 'N', 'C', 'n', 'B', 1)
                """,
                """
                INSERT INTO webhook_endpoints (id, tenant_id, livemode, url, secret_sealed)
                VALUES ('whe_1', \(tenant.id), true, 'https://example.com', '')
                """,
            ])
            // A worker's session without Redis, which these tests do not need.
            let card = WorkerCard(host: "t", processID: 1, version: "t", queues: QueueName.names, kinds: [], slots: 9)
            return House(
                world: world,
                tenant: tenant.id,
                user: tenant.owner,
                engagement: engagement,
                session: try await world.ledger.openSession(card, lease: .seconds(600)),
                folder: try await TestStack.shared().folder + "/fetched-\(UInt32.random(in: 0 ... .max))"
            )
        }

        /// Enqueues a job for the page, runs it, and returns what it answered.
        func fetch(once: String?) async throws -> FetchOutcome? {
            let job = FetchURL(
                engagement: engagement,
                tenant: tenant,
                user: user,
                url: "https://example.com/blog/post",
                category: .reference,
                once: once
            )
            let id = try #require(try await world.queue.enqueue(job, tenant: tenant.rawValue))
            let claimed = try Ledger.claimed(try await world.postgres.query(Ledger.claim([id], session: session)))
            let context = JobContext(
                job: try #require(claimed.first),
                queue: world.queue,
                services: services,
                logger: world.logger
            )
            guard try await job.run(context) == .settled else { return nil }
            guard case .done(let result?) = try await world.queue.result(of: id, within: .seconds(5)) else {
                return nil
            }
            return FetchOutcome(try JSON(parsing: Data(result.utf8)))
        }

        private var services: JobServices {
            let routing = CrewRouting(prices: PriceTable(), providers: [])
            let models = Models(routing: routing, providers: [OfflineExtractive()], allowSimulation: false)
            return JobServices(
                stores: world.stores,
                models: models,
                blobs: LocalBlobs(folder: folder),
                pages: OnePage()
            )
        }

        func count(_ sql: SQL) async throws -> Int {
            try await world.postgres.query(sql).first?.decode(Int.self) ?? -1
        }
    }

    private struct OnePage: PageFetcher {
        func fetch(_ url: String) -> FetchedPage {
            FetchedPage(title: "Post", text: "Words", contentType: "text/html", truncated: false, finalURL: url)
        }
    }

    @Test("A-20, A-28, T-7: two jobs of the same request make one attachment with one event, and both answer with it")
    func once() async throws {
        let house = try await House.open()
        let first = try #require(try await house.fetch(once: "n1"))
        guard case .stored(let key) = first else { throw NeverHappened(description: "\(first)") }
        #expect(try await house.world.stores.fetchedPages.storageKey(of: "n1", house.tenant) == key)
        #expect(try await house.fetch(once: "n1") == first)
        #expect(try await house.count("SELECT count(*) FROM attachments") == 1)
        #expect(try await house.count("SELECT count(*) FROM blobs WHERE state <> 'deleting'") == 1)
        let events = try await house.world.postgres.query("SELECT convert_from(body, 'UTF8') FROM events")
        let body = try JSON(parsing: Data(try #require(events.first).decode(String.self).utf8))
        #expect(events.count == 1 && body["data"]?["sourceUrl"] == "https://example.com/blog/post")
        #expect(try await house.fetch(once: "n2") != first)
        #expect(try await house.fetch(once: nil) != first)
        #expect(try await house.count("SELECT count(*) FROM attachments") == 3)
        // A day later it is another request.
        _ = try await house.world.postgres.query("UPDATE fetched_pages SET created_at = now() - interval '25 hours'")
        #expect(try await house.world.stores.fetchedPages.storageKey(of: "n1", house.tenant) == nil)
        #expect(try await house.fetch(once: "n1") != first)
        await house.world.close()
    }

    @Test("A-27, A-29: a page that found no room, or no engagement, is not taken for one that was attached")
    func refused() async throws {
        let house = try await House.open()
        let full: SQL = """
            INSERT INTO usage_counters (tenant_id, metric, period, value)
            VALUES (\(house.tenant), 'storage_bytes', 'all', \(2 << 30)::bigint)
            """
        _ = try await house.world.postgres.query(full)
        #expect(try await house.fetch(once: "n1") == .full)
        _ = try await house.world.postgres.query("UPDATE usage_counters SET value = 0")
        guard case .stored = try await house.fetch(once: "n1") else {
            throw NeverHappened(description: "it was not attached")
        }
        #expect(try await house.world.stores.fetchedPages.storageKey(of: "n1", Tenant.ID("another")) == nil)
        await house.world.close()
    }
}
