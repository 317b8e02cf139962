import Glibc

/// The folder of one private Postgres: what lies where, and who owns it.
///
/// ```
/// place/               everybody may pass through
/// ├── data/            the cluster, owned by the user that runs Postgres (700); normally the socket too
/// ├── postgres.log     what the server says
/// ├── owner.lock       held by the process that started it
/// ├── server.lock      held by the server's own processes
/// └── database-made    the database `groundcrew` exists
/// ```
///
/// Postgres refuses root, so as root the account `postgres` must be able to reach the data. When a folder above it is
/// closed to that account (a checkout under /root, for instance), all of it lies in /var/tmp/groundcrew-<digest of the
/// asked path> instead, and the same asked path finds it there again.
struct PostgresHome: Sendable {
    /// Names the socket file only; no port is opened.
    static let port = 5432
    static let socketName = ".s.PGSQL.\(port)"

    let place: String
    /// The closed folder for which the data lies elsewhere than asked.
    let closedFolder: String?
    let user: ServerUser

    init(directory: String, user: ServerUser) {
        let asked = Path.absolute(directory)
        self.user = user
        closedFolder = user.isLent ? Path.firstClosedFolder(onTheWayTo: asked, for: user) : nil
        place = closedFolder == nil ? asked : "/var/tmp/groundcrew-\(Text.digest(asked))"
    }

    var data: String { place + "/data" }
    var logFile: String { place + "/postgres.log" }
    var ownerLock: String { place + "/owner.lock" }
    var serverLock: String { place + "/server.lock" }
    var databaseMark: String { place + "/database-made" }

    /// All that a private Postgres puts into its folder.
    var everything: [String] {
        let halfMade = Folder.names(in: place).filter { $0.hasPrefix("data.new") }.map { place + "/" + $0 }
        return halfMade + [data, databaseMark, logFile, serverLock, ownerLock]
    }

    /// Makes the folder. In /var/tmp, where everybody may write, an existing one must be ours.
    func prepare() throws {
        try Folder.make(place)
        guard closedFolder == nil || Inode(place).map({ $0.isFolder && $0.owner == geteuid() }) == true else {
            throw EmbeddedError.fileTrouble(
                operation: "use",
                path: place,
                reason: "it exists and belongs to somebody else"
            )
        }
    }

    /// Makes the cluster unless it exists. A half-made one of an interrupted start is thrown away, never used.
    func makeCluster(programs: String, durability: Durability) async throws {
        for name in Folder.names(in: place) where name.hasPrefix("data.new") { try Folder.remove(place + "/" + name) }
        if Inode(data) != nil { return }
        let new = place + "/data.new.\(getpid())"
        try Folder.makePrivate(new, for: user)
        let initdb = [programs + "/initdb", "-D", new]
        try await Program.run(
            user.prefix + initdb + [
                "--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8", "-U", "groundcrew", "--no-sync",
            ]
        )
        // One pass at the end is five times as fast as initdb's own syncing while it works.
        if durability == .durable { try await Program.run(user.prefix + initdb + ["--sync-only"]) }
        try Folder.rename(new, to: data)
    }

    /// Removes the `postmaster.pid` of a server that is gone; by now its process id may be somebody else's, which would
    /// keep Postgres from starting. To be called when no process holds `server.lock`.
    ///
    /// - Throws: ``EmbeddedError/foreignServer(folder:processID:)`` when a server that was started by hand uses the data.
    func clearStalePID() throws {
        guard let status = ServerStatus(pidFile: data + "/postmaster.pid") else { return }
        if status.works(in: data) { throw EmbeddedError.foreignServer(folder: data, processID: status.processID) }
        try Folder.remove(data + "/postmaster.pid")
    }
}

/// What Postgres writes about itself into `postmaster.pid` (PostgreSQL source, miscadmin.h): line 1 the process id, line 8
/// the state. `pg_ctl` waits by the same file.
struct ServerStatus: Sendable {
    let processID: Int32
    let isReady: Bool

    init?(pidFile: String) {
        guard let lines = Folder.text(of: pidFile)?.split(separator: "\n", omittingEmptySubsequences: false),
            let id = lines.first.flatMap({ Int32(Text.trimmed($0)) })
        else { return nil }
        processID = id
        isReady = lines.count > 7 && Text.trimmed(lines[7]) == "ready"
    }

    /// Whether that process lives and works in `folder`: a server stands in its data folder, a stranger that has got its
    /// number by chance does not.
    func works(in folder: String) -> Bool {
        var target = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/\(processID)/cwd", &target, target.count)
        guard length > 0 else { return false }
        return String(decoding: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) == folder
    }
}
