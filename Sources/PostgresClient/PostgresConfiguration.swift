private import CLibPQ

/// Where Postgres is, and how patient the pool is with it.
package struct PostgresConfiguration: Sendable {
    /// A libpq URI (PostgreSQL manual, 34.1.1.2), for example `postgresql://user@host:5432/groundcrew`.
    package let url: String
    /// Connections at most.
    package var size: Int
    /// How long a caller waits for a free connection before ``PostgresError/Code/poolExhausted``.
    package var wait: Duration
    /// How long one trip to the server may take before it is cancelled.
    package var statementTimeout: Duration
    package var applicationName: String
    /// For how long the server may be silent on all connections before a new one is tried; if that is silent for as long too,
    /// callers fail at once until it answers. Nil waits for each statement's own time.
    package var patience: Duration?

    /// - Parameters:
    ///   - url: a libpq URI or key=value string.
    ///   - setting: the name of the setting it came from, for the error's text.
    /// - Throws: ``PostgresError/Code/invalidURL`` where libpq cannot read it. The text never holds the password.
    package init(
        url: String,
        setting: String = "DATABASE_URL",
        size: Int = 8,
        wait: Duration = .seconds(5),
        statementTimeout: Duration = .seconds(10),
        applicationName: String = "groundcrew",
        patience: Duration? = nil
    ) throws(PostgresError) {
        self.url = url
        self.size = max(1, size)
        self.wait = wait
        self.statementTimeout = statementTimeout
        self.applicationName = applicationName
        self.patience = patience
        guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") || url.contains("=") else {
            throw Self.invalid(setting, "it does not begin with postgresql://")
        }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &message) else {
            defer { PQfreemem(message) }
            // libpq may quote the address, password and all, so its words stay out of the text.
            throw Self.invalid(setting, "libpq cannot read it")
        }
        PQconninfoFree(options)
    }

    private static func invalid(_ setting: String, _ why: String) -> PostgresError {
        PostgresError(
            .invalidURL,
            "\(setting) is not a Postgres address: \(why). Set it to something like "
                + "postgresql://user:password@host:5432/groundcrew."
        )
    }

    /// Opens one connection; blocks while it does.
    func open() -> Result<OpaquePointer, PostgresError> {
        // What comes before dbname is a default that the URL may override.
        let settings: [(String, String)] = [
            // Two seconds are the least that libpq takes.
            ("connect_timeout", patience == nil ? "5" : "2"), ("application_name", applicationName),
            ("client_encoding", "UTF8"),
            ("keepalives_idle", "5"), ("tcp_user_timeout", "10000"), ("dbname", url),
        ]
        guard let handle = Self.connect(settings) else {
            return .failure(PostgresError(.connectFailed, "libpq is out of memory"))
        }
        guard PQstatus(handle) == CONNECTION_OK, PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1
        else {
            defer { PQfinish(handle) }
            return .failure(PostgresError(.connectFailed, Self.message(of: handle)))
        }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        return .success(handle)
    }

    private static func connect(_ settings: [(String, String)]) -> OpaquePointer? {
        func withCStrings<R>(_ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> R) -> R {
            var pointers: [UnsafePointer<CChar>?] = []
            func next(_ rest: ArraySlice<String>) -> R {
                guard let first = rest.first else { return body(pointers + [nil]) }
                return first.withCString { pointer in
                    pointers.append(pointer)
                    return next(rest.dropFirst())
                }
            }
            return next(strings[...])
        }
        return withCStrings(settings.map(\.0)) { keys in
            withCStrings(settings.map(\.1)) { values in PQconnectdbParams(keys, values, 1) }
        }
    }

    static func message(of handle: OpaquePointer) -> String {
        let text = String(cString: PQerrorMessage(handle))
        return text.split(separator: "\n").map { $0.trimmingSpaces() }.joined(separator: "; ")
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
