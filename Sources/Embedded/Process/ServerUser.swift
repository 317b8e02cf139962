import Glibc

/// Who runs Postgres: it refuses root, so root lends it the account `postgres`; anybody else runs it as himself.
struct ServerUser: Sendable, Equatable {
    let userID: UInt32
    let groupID: UInt32
    /// True when the account differs from ours, so that files must be handed over.
    let isLent: Bool

    /// Ourselves: what runs Redis, and Postgres when we are not root.
    static var current: ServerUser { ServerUser(userID: geteuid(), groupID: getegid(), isLent: false) }

    /// The account for Postgres in this process.
    ///
    /// - Throws: ``EmbeddedError/programMissing(name:package:searched:)`` when root has no account `postgres` to lend.
    static func forPostgres() throws -> ServerUser {
        guard geteuid() == 0 else { return current }
        guard let account = account(named: "postgres") else {
            throw EmbeddedError.programMissing(
                name: "postgres (its system account)",
                package: "postgresql",
                searched: ["/etc/passwd"]
            )
        }
        return account
    }

    /// Words to put before a command so that it runs as this user.
    var prefix: [String] {
        isLent ? ["setpriv", "--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups", "--"] : []
    }

    private static func account(named name: String) -> ServerUser? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &room, room.count, &found) == 0, found != nil else { return nil }
        return ServerUser(userID: entry.pw_uid, groupID: entry.pw_gid, isLent: true)
    }
}
