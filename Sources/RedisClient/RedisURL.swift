/// A Redis URL taken apart by hand: general URL parsers accept forms (user info in odd places, encoded hosts) that we
/// would rather refuse with a sentence.
struct RedisURL {
    private(set) var endpoint = RedisEndpoint.unix(path: "")
    private(set) var credentials: RedisCredentials?
    private(set) var database = 0
    private(set) var usesTLS = false
    private(set) var authorityFile: String?

    private let setting: String

    // Values are echoed only where no part of a password can have strayed into them.
    init(_ url: String, setting: String) throws(RedisError) {
        self.setting = setting
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else {
            throw problem("it does not begin with redis://, rediss:// or redis+unix://")
        }
        let rest = url[url.index(colon, offsetBy: 3)...]
        switch url[..<colon].lowercased() {
        case "redis": try readServer(rest)
        case "rediss":
            usesTLS = true
            try readServer(rest)
        case "redis+unix": try readSocket(rest)
        default: throw problem("its scheme is not redis, rediss or redis+unix")
        }
    }

    private mutating func readServer(_ text: Substring) throws(RedisError) {
        let end = text.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? text.endIndex
        guard !text[end...].contains("@") else {
            throw problem("write /, ? and # within user or password as %2F, %3F and %23")
        }
        let host = try readCredentials(text[..<end])
        endpoint = try server(host)
        let (path, query) = Self.split(text[end...], at: "?")
        if path.count > 1 { database = try number(path.dropFirst()) }
        try readQuery(query, allowed: usesTLS ? ["cafile", "db"] : ["db"])
    }

    private mutating func readSocket(_ text: Substring) throws(RedisError) {
        guard let slash = text.firstIndex(of: "/") else { throw problem("the path of the socket is missing") }
        guard try readCredentials(text[..<slash]).isEmpty else {
            throw problem("a socket's path is absolute, so three slashes follow redis+unix:")
        }
        let (path, query) = Self.split(text[slash...], at: "?")
        // The kernel's limit for a socket's name: sockaddr_un, unix(7).
        guard path.count > 1, let decoded = Self.decoded(path), decoded.utf8.count < 108 else {
            throw problem("the path of the socket is empty, longer than 107 bytes or wrongly percent-encoded")
        }
        endpoint = .unix(path: decoded)
        try readQuery(query, allowed: ["db"])
    }

    /// Takes `[user]:password@` off the front and returns what follows.
    private mutating func readCredentials(_ authority: Substring) throws(RedisError) -> Substring {
        guard let at = authority.lastIndex(of: "@") else { return authority }
        let (user, password) = Self.split(authority[..<at], at: ":")
        guard let password, !password.isEmpty else {
            throw problem("a user without a password; write user:password@, or leave both out")
        }
        guard let user = Self.decoded(user), let password = Self.decoded(password) else {
            throw problem("user or password is wrongly percent-encoded (a % is written %25)")
        }
        credentials = RedisCredentials(user: user.isEmpty ? nil : user, password: password)
        return authority[authority.index(after: at)...]
    }

    private func server(_ text: Substring) throws(RedisError) -> RedisEndpoint {
        var host = text
        var port: Substring?
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let after = text[text.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw problem("something follows the ] of the host") }
            port = after.isEmpty ? nil : after.dropFirst()
        } else {
            (host, port) = Self.split(text, at: ":")
        }
        guard !host.isEmpty else { throw problem("the host is missing") }
        guard host.utf8.allSatisfy(Self.isHostByte) else { throw problem("the host has characters no host name has") }
        guard let number = port.map({ Int($0) }) ?? 6379, (1...65535).contains(number) else {
            throw problem("the port is not a number from 1 to 65535")
        }
        return .tcp(host: String(host), port: number)
    }

    private mutating func readQuery(_ query: Substring?, allowed: [String]) throws(RedisError) {
        for item in (query ?? "").split(separator: "&") {
            let (name, value) = Self.split(item, at: "=")
            guard allowed.contains(String(name)), let value = Self.decoded(value ?? ""), !value.isEmpty else {
                throw problem("after the ? only \(allowed.map { $0 + "=…" }.joined(separator: " and ")) is known here")
            }
            if name == "db" { database = try number(value[...]) } else { authorityFile = value }
        }
    }

    private func number(_ text: Substring) throws(RedisError) -> Int {
        guard let number = Int(text), number >= 0 else { throw problem("the database is not a number from 0 on") }
        return number
    }

    private func problem(_ what: String) -> RedisError {
        RedisError(
            .invalidURL,
            "\(setting) is not a usable Redis address: \(what). Examples: redis://:password@localhost:6379/0, "
                + "rediss://user:password@redis.example.com:6380/0, redis+unix:///run/redis/redis.sock?db=0"
        )
    }
}

extension RedisURL {
    private static func split(_ text: Substring, at mark: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: mark) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// Letters, digits, `.`, `-`, `_`; the `:` of IPv6 comes only from within brackets.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...58, 65...90, 97...122, 45, 46, 95: true
        default: false
        }
    }

    /// Percent-decoding (RFC 3986, 2.1); nil when a `%` is not followed by two hexadecimal digits, or for non-UTF-8.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == 37 else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hex), let low = rest.popFirst().flatMap(hex) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
