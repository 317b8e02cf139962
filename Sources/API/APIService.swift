private import Hummingbird
package import Logging
package import Queue
package import ServiceLifecycle
package import Stores

/// The HTTP API: takes requests, writes rows and jobs, and never runs a job itself.
package enum APIService {
    /// - Parameters:
    ///   - host: address to listen on.
    ///   - port: TCP port; 0 picks a free one.
    ///   - testSettings: names of test-only settings that are on; `/api/health` shows them.
    ///   - onListening: told the port once the socket listens.
    package static func application(
        stores: Stores,
        queue: JobQueue,
        host: String,
        port: Int,
        allowSimulation: Bool,
        testSettings: [String],
        logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void
    ) -> any Service {
        // The directory of the house: one line per feature.
        let features: [any Routes] = [
            EngagementRoutes(stores: stores, queue: queue, allowSimulation: allowSimulation),
            HealthRoutes(queue: queue, testSettings: testSettings),
        ]
        let table = RouteTable(
            routes: features.flatMap(\.table),
            authentication: Authentication(accounts: stores.accounts),
            logger: logger
        )
        // Slow headers are cut after ten seconds; a slow body by the deadline of the handler that reads it.
        return Application(
            router: table.router(),
            server: .http1(configuration: .init(idleTimeout: .seconds(30))),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: "groundcrew"),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
            logger: logger
        )
    }
}
