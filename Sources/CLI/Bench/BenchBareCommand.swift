import API
import ArgumentParser
import Domain
import FoundationEssentials
import Logging
import ServiceLifecycle
import UnixSignals

/// The yardstick of the API: the same HTTP server with one route, no gate and no database.
struct BenchBareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bare",
        abstract: "Serve the contents of a file at / of a free port, until SIGTERM."
    )

    @Argument(help: "A file with the JSON to serve.") var file: String

    func run() async throws {
        guard let body = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandEnd(.usage, "\(file) cannot be read as text: name a file with the JSON to serve")
        }
        var logger = Logger(label: "bare")
        logger.logLevel = .error
        let service = BareService.application(body: body, logger: logger) { port in
            Terminal.say(JSON.object(["bench": "bare", "port": .integer(port)]).text)
        }
        try await ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
    }
}
