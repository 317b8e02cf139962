/// A Lua script that runs within the server (https://redis.io/docs/latest/develop/programmability/eval-intro/).
package struct RedisScript: Sendable, Hashable {
    /// What error texts call it.
    package let name: String
    package let body: String
    /// The SHA-1 of the body, under which the server keeps it.
    package let sha: String

    /// Names a script and works out its SHA-1 once: keep the value, do not make it anew for each call.
    package init(name: String, body: String) {
        self.name = name
        self.body = body
        sha = SHA1.hexadecimal(of: body)
    }

    package static func == (left: Self, right: Self) -> Bool { left.sha == right.sha }

    package func hash(into hasher: inout Hasher) { hasher.combine(sha) }
}

extension RedisScript {
    /// The short call: the server must know the script already.
    func bySHA(keys: [String], arguments: [String]) -> [String] {
        ["EVALSHA", sha, String(keys.count)] + keys + arguments
    }

    /// The long call, after which the server knows the script.
    func byBody(keys: [String], arguments: [String]) -> [String] {
        ["EVAL", body, String(keys.count)] + keys + arguments
    }
}
