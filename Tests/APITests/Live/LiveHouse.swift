import AsyncHTTPClient
import Domain
import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOHTTP1
import PostgresClient
import Queue
import Stores
import Synchronization
import TestSupport
import Testing

@testable import API

/// A tenant with a key, and as many API processes' worth of routes as a test needs, on real sockets.
struct LiveHouse: Sendable {
    let world: World
    let key: String

    static func open(redisURL: String? = nil) async throws -> LiveHouse {
        let world = try await World.fresh(redisURL: redisURL)
        let tenant = try await world.stores.accounts.createTenant(name: "T", plan: .enterprise)
        let key = try #require(
            try await world.stores.accounts.createKey(tenant: tenant.id, name: "k", scopes: [.readWrite], mode: .live)
        )
        return LiveHouse(world: world, key: key.plaintext)
    }

    /// Serves the API on a port of its own while `body` runs, with the clients of `world`.
    func serve(
        _ world: World,
        runs: RunStore? = nil,
        pace: LiveEvents.Pace = .init(),
        patience: TimeAmount = .seconds(10),
        closed: Counter = Counter(),
        _ body: @escaping @Sendable (Int, LiveEvents) async throws -> Void
    ) async throws {
        let live = LiveEvents(world.stores.runs, notices: world.dispatch.notices, pace: pace)
        let house = APIService.table(
            stores: world.stores,
            queue: world.queue,
            settings: .unlimited,
            logger: world.logger
        )
        let streams = StreamRoutes(runs: runs ?? world.stores.runs, live: live).table
        let replaced = Set(streams.map(\.path))
        let table = RouteTable(
            routes: house.routes.filter { !replaced.contains($0.path) } + streams,
            gatehouse: house.gatehouse,
            logger: world.logger
        )
        let application = Application(
            router: table.router(),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [SlowReaders(limit: patience), CloseCounter(closed)],
                    idleTimeout: .seconds(30)
                )
            ),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            logger: world.logger
        )
        try await application.test(.live) { client in
            try await body(try #require(client.port), live)
        }
    }

    // MARK: What a worker would do

    /// A new engagement, not yet run.
    func engagement() async throws -> Engagement.ID {
        let caller = try #require(try await world.stores.accounts.caller(key: key))
        let draft = EngagementStore.Draft(
            name: "N",
            client: "C",
            brief: "B",
            budget: NanoUSD(nanos: 5_000_000_000),
            tasks: []
        )
        guard case .created(let made) = try await world.stores.engagements.create(draft, for: caller) else {
            throw NeverHappened(description: "no engagement")
        }
        return made.id
    }

    /// Starts a run and writes its first event.
    func start(_ id: Engagement.ID) async throws -> Run.ID {
        let caller = try #require(try await world.stores.accounts.caller(key: key))
        let started = try await world.postgres.transaction { transaction in
            try await world.stores.runs.start(id, for: caller, in: transaction)
        }
        guard case .started(let run) = started else { throw NeverHappened(description: "no run") }
        return run
    }

    func append(_ events: [RunEvent], to run: Run.ID, telling: Bool = true) async throws {
        _ = try await world.postgres.query(RunLedger.append(events, to: run))
        if telling { world.dispatch.notices.tell(of: [run.rawValue]) }
    }

    func finish(_ run: Run.ID, as status: Run.Status = .completed, telling: Bool = true) async throws {
        let last = RunEvent.status(status == .completed ? .completed : .failed)
        _ = try await world.postgres.pipeline(
            RunLedger.finishRun(run, as: status, error: nil) + [RunLedger.append([last], to: run)]
        )
        if telling { world.dispatch.notices.tell(of: [run.rawValue]) }
    }

    // MARK: What a client would do

    func stream(_ port: Int, _ id: Engagement.ID, since: String? = nil) -> EventClient {
        EventClient(url: "http://127.0.0.1:\(port)/api/engagements/\(id)/stream", key: key, lastID: since)
    }

    func get(_ port: Int, _ path: String) async throws -> (status: Int, body: JSON) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        let response = try await EventClient.http.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        return (Int(response.status.code), (try? JSON(parsing: Data(bytes.readableBytesView))) ?? .null)
    }
}

/// A number that several tasks raise.
final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func raise() { count.withLock { $0 += 1 } }
}

/// Counts connections that have ended.
private final class CloseCounter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    private let counter: Counter

    init(_ counter: Counter) { self.counter = counter }

    func channelInactive(context: ChannelHandlerContext) {
        counter.raise()
        context.fireChannelInactive()
    }
}
