import Embedded
import Foundation
import PostgresClient
import RedisClient
import Synchronization
import TestSupport

/// Does harm, seeded, and undoes it.
actor Nemesis {
    private enum Fault: String, CaseIterable {
        case workerKilled = "worker: kill -9"
        case workerFrozen = "worker: SIGSTOP up to 2.2 leases"
        case workerTold = "worker: SIGTERM"
        case schedulerKilled = "scheduler: kill -9"
        case schedulerFrozen = "scheduler: SIGSTOP"
        case apiKilled = "api: kill -9"
        case redisFlushed = "Redis: FLUSHALL"
        case scriptsFlushed = "Redis: SCRIPT FLUSH"
        case redisClientsCut = "Redis: CLIENT KILL"
        case redisKilled = "Redis: kill -9, back with its log"
        case redisEmptied = "Redis: back empty"
        case redisOld = "Redis: back with an old snapshot"
        case postgresKilled = "Postgres: kill -9"
        case backendsEnded = "Postgres: connections terminated"
        case proxyCut = "proxy: cut now"
        case replyLost = "proxy: cut after the request, before the reply"
        case replyTorn = "proxy: cut in the middle of a reply"
        case proxySilent = "proxy: half open"
        case proxySlow = "proxy: delay"

        var weight: Int {
            switch self {
            case .workerKilled, .workerFrozen, .workerTold, .replyLost: 5
            case .redisKilled, .redisEmptied, .redisOld, .postgresKilled: 1
            default: 3
            }
        }
    }

    private let sea: Sea
    private let fleet: Fleet
    private let proxies: [Proxy]
    private let progress: Progress
    private var random: SplitMix
    private var undo: [(due: ContinuousClock.Instant, act: @Sendable () async -> Void)] = []
    private var snapshot: String { sea.folder + "/snapshot" }
    private var log: String { sea.redisFolder + "/appendonlydir" }

    init(_ sea: Sea, _ fleet: Fleet, _ proxies: [Proxy], _ progress: Progress) {
        self.sea = sea
        self.fleet = fleet
        self.proxies = proxies
        self.progress = progress
        random = SplitMix(seed: progress.plan.seed)
    }

    func run() async throws {
        let bag = Fault.allCases.flatMap { Array(repeating: $0, count: $0.weight) }
        while !Task.isCancelled, !progress.isStormOver {
            try await Task.sleep(for: .milliseconds(Int.random(in: 150...600, using: &random)))
            await undoDue()
            try await fleet.tend()
            if progress.mayStrike, let fault = bag.randomElement(using: &random) { try await strike(fault) }
        }
    }

    /// All is well again: nothing frozen, nothing silent, everything running.
    func heal() async throws {
        for entry in undo { await entry.act() }
        undo = []
        for proxy in proxies { proxy.heal() }
        await fleet.wakeAll()
        try await fleet.tend()
    }

    private func undoDue() async {
        let now = ContinuousClock.now
        for entry in undo where entry.due <= now { await entry.act() }
        undo.removeAll { $0.due <= now }
    }

    private func later(_ milliseconds: Int, _ act: @escaping @Sendable () async -> Void) {
        undo.append((.now + .milliseconds(milliseconds), act))
    }

    private func strike(_ fault: Fault) async throws {
        let at = Date()
        var victim = 0
        switch fault {
        case .workerKilled, .workerFrozen, .workerTold, .schedulerKilled, .schedulerFrozen, .apiKilled:
            victim = await strikeProcess(fault)
        case .redisFlushed, .scriptsFlushed, .redisClientsCut, .backendsEnded: await strikeServer(fault)
        case .redisKilled, .redisEmptied, .redisOld, .postgresKilled: try await restartServer(fault)
        case .proxyCut, .replyLost, .replyTorn, .proxySilent, .proxySlow: strikeProxy(fault)
        }
        let record = FaultRecord(at: at, kind: fault.rawValue, processID: victim)
        progress.state.withLock { $0.faults.append(record) }
    }

    // MARK: Processes

    private func strikeProcess(_ fault: Fault) async -> Int {
        let draw = Int.random(in: 0..<1000, using: &random)
        let lease = progress.plan.lease * 1000
        let pause = Int.random(in: lease / 2...lease * 11 / 5, using: &random)
        switch fault {
        case .workerKilled: return await fleet.signal(SIGKILL, .worker, draw)?.id ?? 0
        case .workerTold: return await fleet.signal(SIGTERM, .worker, draw)?.id ?? 0
        case .schedulerKilled: return await fleet.signal(SIGKILL, .scheduler, draw)?.id ?? 0
        case .apiKilled: return await fleet.signal(SIGKILL, .api, draw)?.id ?? 0
        default:
            let role: Fleet.Role = fault == .workerFrozen ? .worker : .scheduler
            guard let process = await fleet.signal(SIGSTOP, role, draw) else { return 0 }
            later(pause) { process.signal(SIGCONT) }
            return process.id
        }
    }

    // MARK: Servers

    private func strikeServer(_ fault: Fault) async {
        switch fault {
        case .redisFlushed: _ = try? await sea.redis.send(["FLUSHALL"])
        case .scriptsFlushed: _ = try? await sea.redis.send(["SCRIPT", "FLUSH"])
        case .redisClientsCut: _ = try? await sea.redis.send(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        default:
            _ = try? await sea.postgres.query(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5
                """
            )
        }
    }

    private func restartServer(_ fault: Fault) async throws {
        if fault == .postgresKilled {
            await sea.server.kill()
            return try await persist { try await sea.server.restart() }
        }
        let files = FileManager.default
        if fault == .redisOld, !files.fileExists(atPath: snapshot) {
            try? files.copyItem(atPath: log, toPath: snapshot)
        }
        await sea.redisServer.kill()
        if fault == .redisOld {
            try? files.removeItem(atPath: log)
            try? files.copyItem(atPath: snapshot, toPath: log)
        }
        try await persist { try await sea.redisServer.restart(empty: fault == .redisEmptied) }
    }

    /// A server that was shot may need a moment before it can be started again.
    private func persist(_ body: () async throws -> Void) async throws {
        for _ in 0..<4 {
            do { return try await body() } catch { try await Task.sleep(for: .milliseconds(300)) }
        }
        try await body()
    }

    // MARK: Network

    private func strikeProxy(_ fault: Fault) {
        guard let proxy = proxies.randomElement(using: &random) else { return }
        switch fault {
        case .proxyCut: proxy.cut()
        case .replyLost: proxy.loseNextReply()
        case .replyTorn: proxy.tearNextReply()
        case .proxySilent:
            proxy.silence()
            later(Int.random(in: 500...3000, using: &random)) { proxy.heal() }
        default:
            proxy.delay(milliseconds: Int64.random(in: 50...500, using: &random))
            later(Int.random(in: 500...3000, using: &random)) { proxy.heal() }
        }
    }
}
