import ArgumentParser
import AsyncHTTPClient
import Domain
import Embedded
import FoundationEssentials
import Glibc
import Logging
import ServiceLifecycle

/// The main job, end to end: a brief goes in through the HTTP API, a crew runs it on the fleet, documents come out.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run one engagement from a brief to Markdown documents, with everything it needs brought along.",
        discussion: "Without OPENAI_API_KEY or OPENAI_BASE_URL the offline provider writes: no key, no network."
    )

    @Option(help: "The brief: Markdown with name, client, budget and attachments in its front matter.")
    var brief = "examples/go-to-market.md"

    @Option(help: "Folder for the documents.")
    var out = "demo-output"

    @Option(help: "Folder for the data; a temporary one without it.")
    var data: String?

    func run() async throws {
        let settings = Settings.load()
        let logger = try Fleet.logger(settings, label: "demo", level: settings["GC_LOG_LEVEL"] == nil ? .error : nil)
        let brief = try Brief(file: brief)
        let folder = data ?? "/tmp/groundcrew-demo-\(getpid())"
        Terminal.say(Terminal.paint("Groundcrew demo", .bold) + ": \(brief.name) for \(brief.client)\n")
        Terminal.say("Starting private Postgres and Redis …")
        let stack = try await PrivateStack.start(
            directory: folder,
            durability: .durable,
            removedWithParent: data == nil,
            logger: logger
        )
        do {
            try await play(brief, DevHouse(stack: stack, settings: settings, data: folder, logger: logger))
        } catch {
            await stack.stop()
            throw error
        }
        await stack.stop()
        if data == nil { try? FileManager.default.removeItem(atPath: folder) }
    }

    private func play(_ brief: Brief, _ house: DevHouse) async throws {
        let fleet = try house.fleet()
        _ = try await fleet.migrate()
        let account = try await house.account(fleet)
        let (ports, announce) = AsyncStream.makeStream(of: Int.self)
        let api = try fleet.api(host: "127.0.0.1", port: 0) { port in announce.yield(port) }
        let services: [any Service] = [try fleet.scheduler(), try fleet.worker(), api]
        let group = ServiceGroup(
            configuration: .init(services: services.map { .init(service: $0) }, logger: house.logger)
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                guard let port = await ports.first(where: { _ in true }) else { return }
                let caller = DemoCaller(port: port, key: account["api_key"]?.stringValue ?? "")
                do {
                    try await DemoScript(caller: caller, brief: brief, out: out).play()
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
        await fleet.close()
    }
}

/// A brief from a file: `---`, `name: …`, `client: …`, `budget: …`, `attachments: a.pdf, b.csv`, `---`, then Markdown.
struct Brief: Sendable {
    let name: String
    let client: String
    let budget: Double
    let text: String
    /// Files to upload; named relative to the brief.
    let attachments: [URL]

    init(file: String) throws {
        guard let content = try? String(contentsOf: URL(filePath: file), encoding: .utf8) else {
            throw ValidationError("The brief \(file) cannot be read. examples/ has some.")
        }
        let parts = content.split(separator: "---\n", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw ValidationError("\(file) has no front matter: it must begin with ---, name:, client:, budget:, ---.")
        }
        var fields: [String: String] = [:]
        for line in parts[1].split(whereSeparator: \.isNewline) {
            let pair = line.split(separator: ":", maxSplits: 1)
            if pair.count == 2 { fields[String(pair[0]).trimmed] = String(pair[1]).trimmed }
        }
        guard let name = fields["name"], let client = fields["client"] else {
            throw ValidationError("\(file) must name `name` and `client` in its front matter.")
        }
        self.name = name
        self.client = client
        budget = fields["budget"].flatMap(Double.init) ?? 5
        text = String(parts[2])
        let folder = URL(filePath: file).deletingLastPathComponent()
        attachments = (fields["attachments"] ?? "").split(separator: ",")
            .map { folder.appending(path: String($0).trimmed) }
    }
}
