/// Where a server's Unix socket lies. Its path has room for 107 bytes (`sun_path`, unix(7)), a data folder may be longer.
enum SocketPlace {
    /// The longest path that fits, in bytes.
    static let limit = 107

    /// `preferred`, or a short folder in /tmp, private to `user`, when `preferred` with `name` is too long, or holds a comma
    /// or quote, which libpq and Postgres read as a list of folders.
    static func choose(preferred: String, name: String, user: ServerUser) throws -> String {
        if fits(preferred, name: name) { return preferred }
        let short = "/tmp/groundcrew-\(Text.digest(preferred + "/" + name))"
        try Folder.makePrivate(short, for: user)
        return short
    }

    static func fits(_ folder: String, name: String) -> Bool {
        folder.utf8.count + 1 + name.utf8.count <= limit && !folder.contains { ",\"'\\".contains($0) }
    }
}
