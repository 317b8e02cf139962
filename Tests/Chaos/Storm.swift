import Embedded
import Foundation
import PostgresClient
import Queue
import Synchronization

/// One storm from the first process to the verdict.
struct Storm: Sendable {
    let plan: Plan
    let binary: String
    let gauge: Gauge

    func run() async throws -> Report {
        let sea = try await Sea.start()
        let progress = Progress(plan)
        let fleet = Fleet(binary: binary)
        var proxies: [Proxy] = []
        var sink: Sink?
        do {
            if plan.runs { sink = try await Sink.start(in: sea.folder) }
            let port = try await man(fleet, sea, &proxies, sink)
            let began = ContinuousClock.now
            try await storm(sea, fleet, proxies, progress, sink, port: port)
            try await calm(sea, fleet, progress)
            let duration = began.duration(to: .now)
            let report = try await judge(sea, fleet, progress, sink, duration)
            await clear(sea, fleet, proxies)
            sink?.stop()
            return report
        } catch {
            let doomed = proxies
            // Nothing may be left behind when the storm was interrupted, and what ends servers must not be cancelled itself.
            await Task { await clear(sea, fleet, doomed) }.value
            sink?.stop()
            throw error
        }
    }

    private func clear(_ sea: Sea, _ fleet: Fleet, _ proxies: [Proxy]) async {
        await fleet.killAll()
        for proxy in proxies { await proxy.close() }
        await sea.close()
    }

    /// Workers behind proxies of their own, two schedulers, one API.
    private func man(_ fleet: Fleet, _ sea: Sea, _ proxies: inout [Proxy], _ sink: Sink?) async throws -> Int {
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("OPENAI_") }
        environment["DATABASE_URL"] = sea.server.url
        environment["REDIS_URL"] = sea.redisServer.url
        environment["GC_NAMESPACE"] = sea.namespace
        environment["GC_LEASE_SECONDS"] = String(plan.lease)
        environment["GC_DRAIN_SECONDS"] = "0"
        environment["GC_WORKER_SLOTS"] = "16"
        environment["GC_LOG_LEVEL"] = "warning"
        environment["GC_SIMULATE"] = "1"
        environment["GC_TEST_HOOKS"] = "1"
        environment["GC_TEST_MUTANT"] = plan.mutant
        if let sink { environment.merge(sink.environment) { $1 } }
        for _ in 0..<plan.workers {
            let postgres = try await Proxy(to: sea.postgresSocket)
            proxies.append(postgres)
            let redis = try await Proxy(to: sea.redisServer.socket)
            proxies.append(redis)
            var own = environment
            own["DATABASE_URL"] = "postgresql://groundcrew@127.0.0.1:\(postgres.port)/groundcrew?sslmode=disable"
            own["REDIS_URL"] = "redis://127.0.0.1:\(redis.port)/0"
            await fleet.add(.worker, ["worker"], own, folder: sea.folder)
        }
        for _ in 0..<2 { await fleet.add(.scheduler, ["scheduler"], environment, folder: sea.folder) }
        // A door that passes nothing on names a free port, and gives it back.
        let door = try await Proxy(to: sea.folder + "/nobody")
        let port = door.port
        await door.close()
        if plan.runs { await fleet.add(.api, ["api", "--port", "\(port)"], environment, folder: sea.folder) }
        try await fleet.tend()
        return port
    }

    private func storm(
        _ sea: Sea,
        _ fleet: Fleet,
        _ proxies: [Proxy],
        _ progress: Progress,
        _ sink: Sink?,
        port: Int
    ) async throws {
        let nemesis = Nemesis(sea, fleet, proxies, progress)
        let caller = plan.runs ? try await APIProducer.make(sea, progress, port: port) : nil
        if let sink, let caller { try await sink.register(caller.key, sea.stores) }
        // Twice what a slow machine needs for the faults and the jobs.
        let limit = Duration.seconds(120 + plan.faults * 2 + plan.jobs / 50)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...2 {
                let producer = Producer(sea: sea, progress: progress, seed: plan.seed &+ UInt64(number))
                group.addTask { try await producer.run() }
            }
            if let caller { group.addTask { try await caller.run() } }
            group.addTask { try await nemesis.run() }
            group.addTask {
                let deadline = ContinuousClock.now + limit
                while !progress.isStormOver {
                    guard ContinuousClock.now < deadline else { throw ChaosError.overdue(limit) }
                    // The producers go by what is seen here.
                    await look(sea, progress)
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
            try await group.waitForAll()
        }
        try await nemesis.heal()
    }

    private func look(_ sea: Sea, _ progress: Progress) async {
        guard let open = try? await sea.open() else { return }
        progress.state.withLock { $0.open = open }
        gauge.show(progress)
    }

    /// After the healing: until all is done, or nothing has ended for too long.
    private func calm(_ sea: Sea, _ fleet: Fleet, _ progress: Progress) async throws {
        var fewest = Int.max
        var deadline = ContinuousClock.now + plan.patience
        while ContinuousClock.now < deadline {
            try await fleet.tend()
            let left =
                try await sea.open()
                + sea.number("SELECT count(*) FROM runs WHERE status NOT IN ('completed','failed')")
            if left == 0 { return }
            if left < fewest {
                fewest = left
                deadline = ContinuousClock.now + plan.patience
            }
            progress.state.withLock { $0.open = left }
            gauge.show(progress)
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func judge(
        _ sea: Sea,
        _ fleet: Fleet,
        _ progress: Progress,
        _ sink: Sink?,
        _ duration: Duration
    ) async throws -> Report {
        let poison = plan.poison > 0 ? try await Poison(sea: sea, fleet: fleet, progress: progress).feed() : nil
        let refused = await fleet.count(of: "a result was refused: another attempt owns the job")
        gauge.clear()
        let checker = Checker(sea: sea, progress: progress)
        var findings = try await checker.findings(refused: refused, poisoned: poison)
        let state = progress.state.withLock { $0 }
        if let sink { findings += try await Outward(sea: sea, sink: sink, faults: state.faults.count).judge() }
        let recovery = try await checker.recovery()
        findings.append(recovery.finding(limit: plan.longestRecovery))
        return Report(
            plan: plan,
            jobs: state.acknowledgedCount,
            runs: state.runs,
            refusedRuns: state.refusedRuns,
            faults: Dictionary(grouping: state.faults, by: \.kind).mapValues(\.count),
            findings: findings,
            recovery: recovery,
            burials: try await checker.burials(),
            reruns: try await sea.number("SELECT coalesce(sum(greatest(attempt - 1, 0)), 0)::bigint FROM jobs"),
            seconds: Double(duration.components.seconds)
        )
    }
}

/// Why a storm could not be judged.
enum ChaosError: Error, CustomStringConvertible {
    case overdue(Duration)
    case noBinary(String)
    case noSink

    var description: String {
        switch self {
        case .overdue(let limit): "the storm was not over after \(limit): fewer JOBS or FAULTS, or a less busy machine"
        case .noSink: "the receiver of webhooks did not start: python3 and openssl must be in /usr/bin"
        case .noBinary(let path): "there is no groundcrew at \(path): run `make build` first, or name it with --binary"
        }
    }
}
