import NIOSSL

/// Where a Redis server is, who logs in, and how long to wait for it.
package struct RedisConfiguration: Sendable {
    /// The name of the setting that the URL came from, for error texts.
    package let setting: String
    /// What `CLIENT LIST` shows for our connections; Redis allows no spaces in it.
    package var clientName = "groundcrew"
    /// How long a command waits for its reply when the caller does not say.
    package var commandTimeout = Duration.seconds(5)
    /// How long one attempt to connect may take: name lookup, TCP, TLS and login together take at most twice this.
    package var connectTimeout = Duration.seconds(5)
    /// After a timeout, a connection that has been silent for this long (or for the timeout, if that is longer) is
    /// given up and rebuilt. Keeps impatient callers (1 ms) from tearing down a connection that is merely slow.
    package var silenceLimit = Duration.seconds(1)

    let endpoint: RedisEndpoint
    let credentials: RedisCredentials?
    let database: Int
    let tls: NIOSSLContext?

    /// Reads a Redis URL.
    ///
    /// Forms: `redis://[[user]:password@]host[:port][/db]`; `rediss://…`, the same over TLS with full certificate
    /// verification and `?cafile=PATH` for a private authority; `redis+unix:///path/to.sock[?db=N]`. Special characters
    /// in user and password are percent-encoded.
    ///
    /// - Parameters:
    ///   - url: The address.
    ///   - setting: The setting's name, which error texts lead with.
    /// - Throws: `invalidURL` with what is wrong and an example; never the password.
    package init(url: String, setting: String = "REDIS_URL") throws(RedisError) {
        let parsed = try RedisURL(url, setting: setting)
        self.setting = setting
        endpoint = parsed.endpoint
        credentials = parsed.credentials
        database = parsed.database
        tls = parsed.usesTLS ? try Self.context(authority: parsed.authorityFile, setting: setting) : nil
    }

    /// The server without secrets: `host:port`, or the path of the socket.
    package var address: String { endpoint.description }

    private static func context(authority: String?, setting: String) throws(RedisError) -> NIOSSLContext {
        var options = TLSConfiguration.makeClientConfiguration()
        options.certificateVerification = .fullVerification
        if let authority { options.trustRoots = .file(authority) }
        do {
            return try NIOSSLContext(configuration: options)
        } catch {
            let what = authority.map { "the certificates in cafile=\($0)" } ?? "the system's certificates"
            throw RedisError(
                .invalidURL,
                "\(setting): \(what) cannot be read. Name a readable PEM file: rediss://host?cafile=/path/ca.pem"
            )
        }
    }
}

/// The place a connection is made to.
enum RedisEndpoint: Sendable, Equatable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    case unix(path: String)

    var description: String {
        switch self {
        case .tcp(let host, let port): host.utf8.contains(58) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

/// A login. Shows nothing of itself in logs and dumps.
struct RedisCredentials: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    let user: String?
    let password: String

    var description: String { "(hidden)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
