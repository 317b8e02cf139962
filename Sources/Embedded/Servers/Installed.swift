import FoundationEssentials

/// Finds the servers' programs on this machine.
enum Installed {
    /// The folder with the newest Postgres that has both `initdb` and `postgres`.
    ///
    /// Debian keeps each version in /usr/lib/postgresql/NN/bin, outside `PATH`, and puts slow wrappers for its clients in
    /// /usr/bin; so the versioned folders come first, then `PATH`, for machines that are not Debian.
    static func postgresFolder(versionsIn root: String = "/usr/lib/postgresql") throws -> String {
        let versions = Folder.names(in: root).compactMap(Int.init).sorted(by: >).map { "\(root)/\($0)/bin" }
        let folders = versions + Program.searchPath
        guard let found = folders.first(where: { has("initdb", in: $0) && has("postgres", in: $0) }) else {
            throw EmbeddedError.programMissing(
                name: "postgres",
                package: "postgresql redis-server",
                searched: [root + "/*/bin"] + Program.searchPath
            )
        }
        return found
    }

    /// The full path of `redis-server`.
    static func redisServer(in folders: [String] = Program.searchPath) throws -> String {
        guard let folder = folders.first(where: { has("redis-server", in: $0) }) else {
            throw EmbeddedError.programMissing(
                name: "redis-server",
                package: "postgresql redis-server",
                searched: folders
            )
        }
        return folder + "/redis-server"
    }

    private static func has(_ program: String, in folder: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: folder + "/" + program)
    }
}
