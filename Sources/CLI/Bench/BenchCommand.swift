import ArgumentParser
import Domain
import Embedded
import FoundationEssentials
import Glibc
import Jobs
import Logging
import PostgresClient
import Queue

/// Load for the scripts in `bench/`. Prints one JSON object per measurement.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Put load on a fleet and measure it. DATABASE_URL and REDIS_URL say where.",
        subcommands: [
            BenchEnqueueCommand.self, BenchDrainCommand.self, BenchPickupCommand.self, BenchCallsCommand.self,
            BenchContextCommand.self, BenchBareCommand.self,
        ]
    )
}

struct BenchEnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue",
        abstract: "Add no-op jobs; jobs per second."
    )

    @Option var jobs = 100_000
    @Option(help: "Jobs per transaction.") var batch = 100
    @Option(help: "Transactions at once.") var callers = 4
    @Option(help: "Spread over so many tenants.") var tenants = 50

    func run() async throws {
        try await withFleet { fleet in
            let batches = jobs / batch
            let (batch, tenants, callers) = (batch, tenants, callers)
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<callers {
                    group.addTask {
                        for number in stride(from: caller, to: batches, by: callers) {
                            let load = try (0..<batch).map { index in
                                try NewJob(Canary(), tenant: "tenant-\((number * batch + index) % tenants)")
                            }
                            try await fleet.queue.enqueue(load)
                        }
                    }
                }
                try await group.waitForAll()
            }
            report("enqueue", jobs: batches * batch, start.duration(to: .now))
        }
    }
}

struct BenchDrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Wait until no job waits or runs; jobs per second since the first one finished."
    )

    @Option var queue = QueueName.maint.rawValue

    func run() async throws {
        try await withFleet { fleet in
            while try await left(fleet) > 0 { try await Task.sleep(for: .milliseconds(50)) }
            let result = try await fleet.queue.postgres.query(
                """
                SELECT count(*), coalesce(extract(epoch FROM max(finished_at) - min(claimed_at)), 0)::float8
                FROM jobs WHERE queue = \(queue) AND state = 'done'
                """
            )
            guard let (jobs, seconds) = try result.first?.decode(Int.self, Double.self) else { return }
            report("drain", jobs: jobs, .seconds(seconds))
        }
    }

    private func left(_ fleet: Fleet) async throws -> Int {
        let result = try await fleet.queue.postgres.query(
            "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE queue = \(queue) AND state IN ('queued','running') LIMIT 1) waiting"
        )
        return try result.first?.decode(Int.self) ?? 0
    }
}

struct BenchPickupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pickup",
        abstract: "One job at a time on an idle fleet: from its commit to its claim, which is just before its handler."
    )

    @Option var jobs = 500

    func run() async throws {
        try await withFleet { fleet in
            var waits: [Double] = []
            for _ in 0..<jobs {
                guard let id = try await fleet.queue.enqueue(Canary(), tenant: "pickup") else { continue }
                waits.append(try await pickup(of: id, fleet))
            }
            waits.sort()
            func share(_ part: Double) -> Double { waits[min(waits.count - 1, Int(Double(waits.count) * part))] }
            Terminal.say(
                JSON.object([
                    "bench": "pickup", "jobs": .integer(waits.count), "p50_ms": .number(share(0.5)),
                    "p95_ms": .number(share(0.95)), "p99_ms": .number(share(0.99)), "max_ms": .number(share(1)),
                ]).text
            )
        }
    }

    /// Postgres' clock on both ends: `created_at` is the start of the inserting statement, `claimed_at` that of the claim.
    private func pickup(of id: Int, _ fleet: Fleet) async throws -> Double {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let result = try await fleet.queue.postgres.query(
                """
                SELECT (extract(epoch FROM finished_at - created_at) * 1000)::float8, 
                       (extract(epoch FROM claimed_at - created_at) * 1000)::float8
                FROM jobs WHERE id = \(id) AND state = 'done'
                """
            )
            if let (_, claimed) = try result.first?.decode(Double.self, Double.self) { return claimed }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw CommandEnd(.no, "job \(id) was not picked up within 10 s: does a worker serve the queue maint?")
    }
}

private func report(_ bench: String, jobs: Int, _ duration: Duration) {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    Terminal.say(
        JSON.object([
            "bench": .string(bench), "jobs": .integer(jobs), "seconds": .number(seconds),
            "jobs_per_second": .number(Double(Int(Double(jobs) / max(seconds, 0.000_001)))),
        ]).text
    )
}
