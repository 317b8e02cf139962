import Domain
import Embedded
import Foundation
import Glibc
import NIOCore
import PostgresClient
import Queue
import RedisClient
import Stores
import TestSupport
import Testing

@testable import API

/// Many streams, and streams whose clients do not read.
@Suite("Live streams under load")
struct StreamLoadTests {
    @Test("E-47: 300 streams on one process get every event, over at most two Redis connections")
    func many() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let house = try await LiveHouse.open(redisURL: redis.url)
        let ids = try await engagements(30, of: house)
        let watcher = Redis(try RedisConfiguration(url: redis.url), logger: house.world.logger)
        try await house.serve(house.world) { port, live in
            try await withThrowingTaskGroup(of: [Int].self) { group in
                for (id, _) in ids {
                    for _ in 0..<10 { group.addTask { try await house.stream(port, id).read().seqs } }
                }
                try await eventually(within: .seconds(30), "300 streams") { await live.streams == 300 }
                for line in 1...10 {
                    for (_, run) in ids { try await house.append([.log(agent: "a", "line \(line)")], to: run) }
                }
                let clients = try await watcher.send(["CLIENT", "LIST"]).string ?? ""
                // One of them is the watcher's own.
                #expect(clients.split(separator: "\n").count <= 3, "\(clients)")
                for (_, run) in ids { try await house.finish(run) }
                var whole = 0
                for try await seqs in group where seqs == Array(1...12) { whole += 1 }
                #expect(whole == 300)
            }
        }
        await watcher.close()
        await house.world.close()
        await redis.stop()
    }

    private func engagements(_ count: Int, of house: LiveHouse) async throws -> [(Engagement.ID, Run.ID)] {
        var made: [(Engagement.ID, Run.ID)] = []
        for _ in 0..<count {
            let id = try await house.engagement()
            made.append((id, try await house.start(id)))
        }
        return made
    }

    /// Many events of a kilobyte each in one statement.
    private func flood(_ run: Run.ID, _ count: Int, of house: LiveHouse) async throws {
        _ = try await house.world.postgres.query(
            """
            WITH r AS (UPDATE runs SET last_seq = last_seq + \(count) WHERE id = \(run) RETURNING tenant_id, last_seq)
            INSERT INTO run_events (run_id, seq, tenant_id, type, data)
            SELECT \(run), last_seq - \(count) + n, tenant_id, 'task_complete',
                   jsonb_build_object('taskId', repeat('x', 1000))
            FROM r, generate_series(1, \(count)) n
            """
        )
        house.world.dispatch.notices.tell(of: [run.rawValue])
    }

    @Test("A client that does not read is cut off, and another one on the same run gets everything")
    func slow() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let run = try await house.start(id)
        let closed = Counter()
        try await house.serve(house.world, patience: .milliseconds(300), closed: closed) { port, live in
            let deaf = try DeafClient(port: port, path: "/api/engagements/\(id)/stream", key: house.key)
            try await eventually(within: .seconds(10), "the deaf client's stream") { await live.streams == 1 }
            async let told = house.stream(port, id).read()
            try await eventually(within: .seconds(10), "the second stream") { await live.streams == 2 }
            try await flood(run, 10_000, of: house)
            try await eventually(within: .seconds(20), "the deaf client to be cut off") { closed.value >= 1 }
            try await house.finish(run)
            #expect(try await told.seqs == Array(1...10_002))
            deaf.hangUp()
        }
        await house.world.close()
    }

    @Test("A feed that nobody empties ends instead of growing")
    func bounded() async throws {
        let house = try await LiveHouse.open()
        let id = try await house.engagement()
        let run = try await house.start(id)
        let live = LiveEvents(house.world.stores.runs, notices: house.world.dispatch.notices)
        let (items, feed) = LiveEvents.feed()
        _ = await live.join(id, run: run, after: 0, feed: feed)
        try await flood(run, 5000, of: house)
        try await eventually(within: .seconds(10), "the stream to be given up") { await live.streams == 0 }
        var seqs: [Int] = []
        for await case .events(let events) in items { seqs += events.map(\.seq) }
        #expect(seqs == Array(1...seqs.count) && seqs.count < 5000)
        await house.world.close()
    }
}

/// A client that asks and never reads.
private struct DeafClient {
    private let socket: Int32

    init(port: Int, path: String, key: String) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var room: Int32 = 4096
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let socket = socket
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(socket, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let request = "GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\n\r\n"
        guard connected == 0, send(socket, request, request.utf8.count, 0) == request.utf8.count else {
            throw NeverHappened(description: "cannot connect: errno \(errno)")
        }
    }

    func hangUp() { close(socket) }
}
