import ArgumentParser
import Domain
import Embedded
import FoundationEssentials
import Logging
import ServiceLifecycle
import Stores

/// Everything in one process, for a laptop: private Postgres and Redis, API, worker and scheduler.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Run everything privately: Postgres, Redis, API, worker and scheduler. Ctrl-C stops it; data stay."
    )

    @Option(help: "TCP port of the API; 0 picks a free one.")
    var port = 8080

    @Option(help: "Folder for the data and for dev.json.")
    var data = ".dev"

    @Option(help: "Workers in this process; 0 to bring your own.")
    var workers = 1

    @Flag(help: "Begin with an empty database and an empty Redis.")
    var fresh = false

    func validate() throws {
        guard (0...16).contains(workers) else { throw ValidationError("--workers takes 0 to 16.") }
        guard (0...65_535).contains(port) else { throw ValidationError("--port takes 0 to 65535.") }
    }

    func run() async throws {
        let settings = Settings.load()
        let logger = try Fleet.logger(settings, label: "dev", level: settings["GC_LOG_LEVEL"] == nil ? .notice : nil)
        if fresh { try PrivateStack.erase(directory: data) }
        Terminal.say("Starting private Postgres and Redis in \(data) …")
        let stack = try await PrivateStack.start(directory: data, durability: .durable, logger: logger)
        do {
            try await serve(DevHouse(stack: stack, settings: settings, data: data, logger: logger))
        } catch {
            await stack.stop()
            throw error
        }
        await stack.stop()
        Terminal.say("Stopped. The data stay in \(data).")
    }

    private func serve(_ house: DevHouse) async throws {
        let fleet = try house.fleet()
        _ = try await fleet.migrate()
        let account = try await house.account(fleet)
        let api = try fleet.api(host: "127.0.0.1", port: port) { port in
            house.announce(account, port: port)
        }
        let workers = try (0..<workers).map { _ in try fleet.worker() }
        if !workers.isEmpty {
            try await fleet.declareMail()
            try await fleet.checkSandbox()
        }
        try await fleet.run([try fleet.scheduler()] + workers + [api])
    }
}

/// What `dev` and `demo` share: the private stack, and an account that outlives restarts.
struct DevHouse: Sendable {
    let stack: PrivateStack
    let settings: Settings
    let data: String
    let logger: Logger

    func fleet() throws -> Fleet {
        var own = ["DATABASE_URL": stack.databaseURL, "REDIS_URL": stack.redisURL]
        if settings["GC_STORAGE_URL"] == nil { own["GC_STORAGE_URL"] = "file://\(absolute(data))/blobs" }
        if settings["GC_SECRET_KEY"] == nil { own["GC_SECRET_KEY"] = try secretKey() }
        return try Fleet(Settings(environment: settings.environment.merging(own) { $1 }), logger: logger)
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    }

    /// Made once and kept beside the data, so that a restart can open what was sealed before.
    private func secretKey() throws -> String {
        try PrivateFile.read(URL(filePath: data).appending(path: "secret.key").path) {
            Data((0..<32).map { _ in UInt8.random(in: 0 ... .max) }).base64EncodedString()
        }
    }

    private var file: URL { URL(filePath: data).appending(path: "dev.json") }

    /// The account of the last time, if its tenant is still there; a new one otherwise.
    func account(_ fleet: Fleet) async throws -> JSON {
        if let bytes = try? Data(contentsOf: file), let known = try? JSON(parsing: bytes),
            let key = known["api_key"]?.stringValue, try await fleet.stores.accounts.caller(key: key) != nil
        {
            return known
        }
        return try await fleet.createTenant(name: "Development", plan: .enterprise).json
    }

    /// Writes `dev.json`, readable by its owner only, and tells people where everything is.
    func announce(_ account: JSON, port: Int) {
        var members = account.objectValue ?? [:]
        members["api"] = .string("http://127.0.0.1:\(port)")
        members["database_url"] = .string(stack.databaseURL)
        members["redis_url"] = .string(stack.redisURL)
        do {
            try PrivateFile.write(JSON.object(members).text + "\n", to: file.path)
        } catch {
            Terminal.complain("\(file.path) could not be written: \(error)")
        }
        Terminal.say(
            """

            \(Terminal.paint("Groundcrew is up.", .green))
              API        http://127.0.0.1:\(port)/api/health
              key        in \(file.path) (api_key; owner_email and owner_password to log in with)
              Postgres   \(stack.databaseURL)
              Redis      \(stack.redisURL)
            Ctrl-C stops it.
            """
        )
    }
}
