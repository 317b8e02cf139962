import API
import ArgumentParser
import Domain
import Jobs
import Logging
import Scheduler
import ServiceLifecycle
import Stores
import Worker

struct APICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "api", abstract: "Serve the HTTP API.")

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "TCP port; 0 picks a free one.")
    var port = 8080

    func run() async throws {
        let settings = Settings.load()
        let fleet = try Fleet(settings, logger: Fleet.logger(settings, label: "api"), patience: .seconds(1))
        let api = try fleet.api(host: host, port: port)
        try await fleet.checkDatabase()
        await fleet.checkRedis()
        try await fleet.run([api])
    }
}

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Run jobs. Start as many as you like; SIGTERM drains."
    )

    @Option(help: "Queues to serve, separated by commas; all of them without it.")
    var queues: String?

    @Option(help: "Jobs at once, 1 to 1000; GC_WORKER_SLOTS, or 64, without it.")
    var concurrency: Int?

    func run() async throws {
        let settings = Settings.load()
        let fleet = try Fleet(settings, logger: Fleet.logger(settings, label: "worker"))
        let queues = try chosen()
        let worker = try fleet.worker(queues: queues, slots: concurrency)
        if queues.contains(.index) { try await fleet.checkSandbox() }
        try await fleet.checkDatabase()
        await fleet.checkRedis()
        try await fleet.declareMail(queues: queues)
        try await fleet.run([worker])
    }

    private func chosen() throws -> [QueueName] {
        guard let queues else { return QueueName.allCases }
        return try queues.split(separator: ",").map { name in
            guard let queue = QueueName(rawValue: String(name)) else {
                throw ValidationError(
                    "There is no queue \"\(name)\". The queues are: \(QueueName.names.joined(separator: ", "))."
                )
            }
            return queue
        }
    }
}

struct SchedulerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduler",
        abstract: "Run periodic work. Start two: one is active, the other takes over."
    )

    func run() async throws {
        let settings = Settings.load()
        let fleet = try Fleet(settings, logger: Fleet.logger(settings, label: "scheduler"))
        let scheduler = try fleet.scheduler()
        try await fleet.checkDatabase()
        await fleet.checkRedis()
        try await fleet.run([scheduler])
    }
}

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database to the newest schema."
    )

    @Flag(help: "Print JSON for programs.") var json = false

    func run() async throws {
        let settings = Settings.load()
        let fleet = try Fleet(settings, logger: Fleet.logger(settings, label: "migrate", level: .warning))
        let applied = try await fleet.migrate()
        if json {
            Terminal.say(JSON.object(["applied": .array(applied.map(JSON.string))]).text)
        } else {
            Terminal.say(applied.isEmpty ? "The schema is up to date." : "Applied: \(applied.joined(separator: ", ")).")
        }
        await fleet.close()
    }
}
