package import AsyncHTTPClient
import NIOCore

/// How long a call may take, and how much it may bring (engine 3.2, 3.6).
package struct ModelLimits: Sendable, Hashable {
    /// Until the connection stands, its queue included.
    package var connect: Duration
    /// From the request's head until the first byte of the answer's body.
    package var firstByte: Duration
    /// Between two pieces of the body.
    package var silence: Duration
    /// From the request's head to the end.
    package var total: Duration
    /// Bytes of the whole body.
    package var responseBytes: Int

    package init(
        connect: Duration = .seconds(5),
        firstByte: Duration = .seconds(60),
        silence: Duration = .seconds(30),
        total: Duration = .seconds(180),
        responseBytes: Int = 8 << 20
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.silence = silence
        self.total = total
        self.responseBytes = responseBytes
    }

    /// The settings for the one HTTP client that all providers share.
    ///
    /// No redirects: they would carry the key elsewhere. No retries of connections: the queue is the layer that
    /// retries. One event loop is enough for thousands of streams, and saves hops between threads.
    package var clientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: connect.amount)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1_024
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        return configuration
    }
}

extension Duration {
    var amount: TimeAmount {
        let parts = components
        return .nanoseconds(parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
    }
}
