private import FoundationEssentials

/// Where mail is handed in: `smtp://user:password@host:587`, or `smtps://…` where TLS comes first.
package struct SMTPServer: Sendable {
    let host: String
    let port: Int
    /// TLS from the first byte (port 465), not STARTTLS.
    let beginsWithTLS: Bool
    let user: String?
    let password: String?

    /// Why the text is no such URL; never holds any of it.
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter text: port 587 without one, 465 for smtps. Special characters of user and password in percent encoding.
    /// - Throws: ``Refusal``
    package init(url text: String) throws(Refusal) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["smtp", "smtps"].contains(scheme), let host = parts.host, !host.isEmpty
        else { throw Refusal(description: "is no URL such as smtp://user:password@host:587 or smtps://host") }
        guard parts.path.isEmpty || parts.path == "/", parts.query == nil, parts.fragment == nil else {
            throw Refusal(description: "has more than user, password, host and port")
        }
        guard (parts.user == nil) == (parts.password == nil) else {
            throw Refusal(description: "has a user without a password, or the other way round")
        }
        beginsWithTLS = scheme == "smtps"
        port = parts.port ?? (beginsWithTLS ? 465 : 587)
        guard (1...65_535).contains(port) else { throw Refusal(description: "has a port that is none") }
        user = parts.user
        password = parts.password
        guard ![host, user ?? "", password ?? ""].contains(where: { $0.unicodeScalars.contains { $0.value < 32 } })
        else {
            throw Refusal(description: "holds control characters")
        }
        self.host = host
    }

    /// Nobody listens in between: a password may go without TLS.
    var isHere: Bool { ["127.0.0.1", "[::1]", "::1", "localhost"].contains(host) }

    /// For log lines.
    package var place: String { "\(host):\(port)" }
}
