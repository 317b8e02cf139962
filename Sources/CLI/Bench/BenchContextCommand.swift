import ArgumentParser
import Crew
import Domain
import FoundationEssentials
import Glibc
import Jobs
import NIOCore
import PostgresClient
import Queue
import Stores

/// How fast files become searchable, and how fast they are searched. The files' text is given: no format is read.
struct BenchContextCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "context",
        abstract: "Index made-up text of one engagement, then search it; seconds and milliseconds."
    )

    @Option(help: "Megabytes of text, in ten files.") var megabytes = 20
    @Option(help: "Bytes of a paragraph: small ones under headings make many passages.") var paragraph = 1_800
    @Option var searches = 1_000

    func run() async throws {
        try await withFleet { fleet in
            let house = try await BenchLibrary.open(fleet, bytes: megabytes << 20, paragraph: paragraph)
            let start = ContinuousClock.now
            try await house.index()
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let state = try await fleet.stores.context.state(of: house.engagement, house.tenant)
            var waits: [Double] = []
            var random = BenchRandom(state: 99)
            for _ in 0..<searches {
                let query = ContextQuery(BenchLibrary.words(4, &random), background: BenchLibrary.words(30, &random))
                let start = ContinuousClock.now
                _ = try await fleet.stores.context.search(query, in: house.engagement, generation: 1, limit: 32)
                waits.append((ContinuousClock.now - start) / .milliseconds(1))
            }
            waits.sort()
            func share(_ part: Double) -> Double { waits[min(waits.count - 1, Int(Double(waits.count) * part))] }
            Terminal.say(
                JSON.object([
                    "bench": "context", "megabytes": .integer(megabytes), "chunks": .integer(state?.chunks ?? 0),
                    "index_seconds": .number(seconds), "search_p50_ms": .number(share(0.5)),
                    "search_p99_ms": .number(share(0.99)), "search_max_ms": .number(share(1)),
                ]).text
            )
        }
    }
}

/// An engagement with ten files that exist in memory only, and the job that indexes them, run in this process.
private struct BenchLibrary: BlobStore, TextExtractor {
    let fleet: Fleet
    let tenant: Tenant.ID
    let engagement: Engagement.ID
    let bytes: Int
    let paragraph: Int

    static func open(_ fleet: Fleet, bytes: Int, paragraph: Int) async throws -> BenchLibrary {
        let tenant = try await fleet.stores.accounts.createTenant(name: "Bench", plan: .enterprise).id
        let engagement = Engagement.ID.make()
        let library = BenchLibrary(
            fleet: fleet,
            tenant: tenant,
            engagement: engagement,
            bytes: bytes,
            paragraph: paragraph
        )
        try await fleet.queue.transaction { transaction in
            _ = try await transaction.sql.pipeline([
                """
                INSERT INTO engagements (id, tenant_id, name, client, slug, brief, budget_nanos)
                VALUES (\(engagement), \(tenant), 'Bench', 'Bench', 'bench', 'Bench', 1000000000)
                """,
                """
                INSERT INTO attachments (id, tenant_id, engagement_id, filename, mime_type, size_bytes, sha256, storage_key)
                SELECT \(engagement) || n, \(tenant), \(engagement), 'file' || n || '.md', 'text/markdown',
                       \(bytes / 10), sha256(n::text::bytea), \(engagement) || n
                FROM generate_series(1, 10) n
                """,
            ])
            _ = try await transaction.sql.query(ContextLedger.want(engagement, tenant))
        }
        return library
    }

    func index() async throws {
        let job = try await claimed()
        let services = JobServices(
            stores: fleet.stores,
            models: try fleet.models(),
            blobs: self,
            texts: self
        )
        let context = JobContext(job: job, queue: fleet.queue, services: services, logger: fleet.logger)
        guard try await RebuildContext(engagement: engagement).run(context) == .settled else {
            throw CommandEnd(.no, "the index was not built")
        }
    }

    /// The job under a session of ours, so that its fence holds.
    private func claimed() async throws -> ClaimedJob {
        let card = WorkerCard(host: "bench", processID: 1, version: "bench", queues: ["index"], kinds: [], slots: 1)
        let session = try await fleet.queue.ledger.openSession(card, lease: .seconds(3600))
        let key = RebuildContext.uniqueKey(engagement)
        let id = try await fleet.queue.enqueue(RebuildContext(engagement: engagement), uniqueKey: key)
        let claimed = try Ledger.claimed(
            try await fleet.queue.postgres.query(Ledger.claim([id].compactMap(\.self), session: session))
        )
        guard let job = claimed.first else { throw CommandEnd(.no, "another worker took the job: stop it first") }
        return job
    }

    // MARK: Files

    func withFile<Result: Sendable>(_ key: String, _ body: (String) async throws -> Result) async throws -> Result {
        try await body(key)
    }

    func text(of path: String, filename: String) async throws -> ExtractedText {
        var random = BenchRandom(state: UInt64(filename.utf8.reduce(0) { $0 &* 31 &+ Int($1) }))
        var blocks: [TextBlock] = []
        var size = 0
        while size < bytes / 10 {
            blocks.append(TextBlock(.heading(2), Self.words(3, &random)))
            let text = Self.words(paragraph / 7, &random)
            blocks.append(TextBlock(.paragraph, text))
            size += text.utf8.count
        }
        return ExtractedText(status: .indexed, blocks: blocks)
    }

    /// Words as common as Zipf says: the n-th of 40,000 has a share of about 1/n; every third one is an English filler.
    static func words(_ count: Int, _ random: inout BenchRandom) -> String {
        let fillers = ["the", "of", "and", "to", "with", "is", "for", "that"]
        return (0..<count).map { index in
            if index % 3 == 2 { return fillers[Int(random.next() % 8)] }
            let rank = Int(exp(Double.random(in: 0..<log(40_000.0), using: &random)))
            return word(rank)
        }.joined(separator: " ")
    }

    private static func word(_ rank: Int) -> String {
        let syllables = [
            "ba", "ren", "to", "mi", "sul", "ka", "vo", "del", "phi", "gar", "nu", "est", "lo", "cra", "we", "ton",
        ]
        var rest = rank
        var word = ""
        repeat {
            word += syllables[rest % 16]
            rest /= 16
        } while rest > 0
        return word
    }

    func put<Parts: AsyncSequence & Sendable>(_ parts: Parts, as key: String) async throws -> BlobDigest
    where Parts.Element == ByteBuffer {
        throw BlobError.unavailable("the bench stores nothing")
    }

    func read(_ key: String, range: Range<Int>?) async throws -> BlobReading { throw BlobError.missing }

    func remove(_ key: String) async throws {}
}

/// The same numbers every time: SplitMix64 (Steele, Lea and Flood, 2014).
private struct BenchRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
