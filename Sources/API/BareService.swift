private import HTTPTypes
private import Hummingbird
package import Logging
private import NIOCore
package import ServiceLifecycle

/// A server that gives everybody the same bytes: what the API's own speed is held against (`groundcrew bench bare`).
package enum BareService {
    /// - Parameters:
    ///   - body: JSON, sent as it is.
    ///   - onListening: told the port once the socket listens.
    package static func application(
        body: String,
        logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void
    ) -> any Service {
        let bytes = ByteBuffer(string: body)
        let router = Router()
        router.get("/") { _, _ in
            Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: bytes))
        }
        return Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            logger: logger
        )
    }
}
