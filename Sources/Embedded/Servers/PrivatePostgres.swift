package import Logging

/// A Postgres of our own: a child process that is reached over a Unix socket and ends with this process, `kill -9` included.
///
/// Works as root (the server then runs as the account `postgres`) and as any user. `listen_addresses` is empty and the
/// socket is closed to others, so nothing is exposed; local connections are trusted.
/// Calls that start and stop are meant to come one after another.
package actor PrivatePostgres {
    /// `postgresql://groundcrew@/groundcrew?host=…`: understood by libpq, psql and whatever is built on libpq.
    package nonisolated let url: String
    /// The folder that holds socket and data, log and locks; not the asked one when that cannot be reached (see ``start(directory:durability:doomedFolder:logger:)``).
    package nonisolated let place: String

    private let home: PostgresHome
    private let programs: String
    private let socketFolder: String
    private let durability: Durability
    private let doomedFolder: String?
    private let logger: Logger
    private var lock: FolderLock?
    private var server: ChildServer?

    private static let graceSeconds = 15
    /// Recovery after a crash may take long; an ordinary start takes a tenth of a second.
    private static let readySeconds = 60

    private init(directory: String, durability: Durability, doomedFolder: String?, logger: Logger) throws {
        programs = try Installed.postgresFolder()
        home = PostgresHome(directory: directory, user: try ServerUser.forPostgres())
        try home.prepare()
        lock = try FolderLock.take(home.ownerLock)
        socketFolder = try SocketPlace.choose(preferred: home.data, name: PostgresHome.socketName, user: home.user)
        self.durability = durability
        self.doomedFolder = doomedFolder
        self.logger = logger
        place = home.place
        url = Self.url(database: "groundcrew", socketFolder: socketFolder)
    }

    /// Starts Postgres in `directory`, making the cluster and the database `groundcrew` at the first start (about a
    /// second; later starts take about 0.06 s). Returns when it answers.
    ///
    /// - Parameters:
    ///   - directory: made when missing. As root, and when a folder above it is closed to the account `postgres`, the data
    ///     lies in /var/tmp/groundcrew-… instead; ``place`` says where, and the log tells it.
    ///   - durability: may differ from start to start.
    ///   - doomedFolder: a folder to remove, with all in it, when this process ends without having stopped the server.
    ///   - logger: hears when the server ends unasked.
    /// - Returns: the running Postgres.
    /// - Throws: ``EmbeddedError``, or `CancellationError` when the task was cancelled.
    package static func start(
        directory: String,
        durability: Durability,
        doomedFolder: String? = nil,
        logger: Logger
    ) async throws -> PrivatePostgres {
        let postgres = try PrivatePostgres(
            directory: directory,
            durability: durability,
            doomedFolder: doomedFolder,
            logger: logger
        )
        try await postgres.boot()
        return postgres
    }

    /// The server's own process id, 0 when it does not run.
    package var processID: Int32 { server.map { $0.hasEnded ? 0 : $0.processID } ?? 0 }

    /// The address of another database of this server.
    package nonisolated func url(database: String) -> String {
        Self.url(database: database, socketFolder: socketFolder)
    }

    /// Makes an empty database, or a copy of `template` to which nobody is connected.
    ///
    /// - Throws: ``EmbeddedError/programFailed(command:output:)`` when the name is taken or the server does not run.
    package func createDatabase(_ name: String, template: String? = nil) async throws {
        let copy = template.map { ["-T", $0] } ?? []
        try await Program.run(
            [programs + "/createdb", "-h", socketFolder, "-p", "\(PostgresHome.port)", "-U", "groundcrew"] + copy + [
                name
            ]
        )
    }

    /// Ends the server as `pg_ctl stop -m fast` does: open transactions are rolled back, connections cut. Killed when that
    /// takes more than 15 s. The data stay; ``restart()`` finds them. A second call does nothing.
    package func stop() async {
        await server?.end(signal: "INT", within: .seconds(Self.graceSeconds))
        server = nil
        lock?.release()
        lock = nil
        if socketFolder != home.data { try? Folder.remove(socketFolder) }
    }

    /// Kills the server process with SIGKILL, as a crash would. The folder stays ours.
    package func kill() async {
        await server?.kill()
        server = nil
    }

    /// Starts the server again in the same folder and under the same ``url``, after ``stop()``, ``kill()`` or a crash; a
    /// running one is stopped first.
    ///
    /// - Throws: as ``start(directory:durability:doomedFolder:logger:)``.
    package func restart() async throws {
        if lock == nil { lock = try FolderLock.take(home.ownerLock) }
        await server?.end(signal: "INT", within: .seconds(Self.graceSeconds))
        server = nil
        if socketFolder != home.data { try Folder.makePrivate(socketFolder, for: home.user) }
        try await boot()
    }

    /// Removes the data of a Postgres that was started in `directory`, wherever they lie.
    ///
    /// - Throws: ``EmbeddedError/folderInUse(folder:owner:)`` while it runs.
    package static func erase(directory: String) throws {
        let home = PostgresHome(directory: directory, user: try ServerUser.forPostgres())
        guard Inode(home.place) != nil else { return }
        let lock = try FolderLock.take(home.ownerLock)
        defer { lock.release() }
        for path in home.everything { try Folder.remove(path) }
        Folder.removeIfEmpty(home.place)
    }

    private func boot() async throws {
        do {
            if let closed = home.closedFolder {
                logger.notice(
                    "The account postgres may not enter a folder above the data, which therefore lie elsewhere",
                    metadata: ["closed": "\(closed)", "place": "\(place)"]
                )
            }
            try await FolderLock.waitUntilFree(home.serverLock, seconds: Self.graceSeconds)
            try await home.makeCluster(programs: programs, durability: durability)
            try home.clearStalePID()
            try await launch()
            try await makeDatabase()
        } catch {
            await stop()
            throw error
        }
    }

    private func launch() async throws {
        let settings = PostgresSettings.arguments(socketFolder: socketFolder, durability: durability)
        let log = LogTail(home.logFile)
        let server = try await ChildServer.start(
            Lifeline(
                command: home.user.prefix + [programs + "/postgres", "-D", home.data] + settings,
                stopSignal: "INT",
                graceSeconds: Self.graceSeconds,
                lockFile: home.serverLock,
                logFile: home.logFile,
                doomedFolder: doomedFolder
            ),
            name: "Postgres",
            logger: logger
        )
        self.server = server
        let pidFile = home.data + "/postmaster.pid"
        try await server.waitUntilReady(name: "Postgres", within: Self.readySeconds, log: log) {
            guard let status = ServerStatus(pidFile: pidFile) else { return false }
            return status.isReady && status.processID == server.processID
        }
    }

    private func makeDatabase() async throws {
        if Inode(home.databaseMark) != nil { return }
        do { try await createDatabase("groundcrew") } catch EmbeddedError.programFailed(_, let output)
            where output.contains("already exists")
        {
            // An earlier start was interrupted between making the database and noting it.
        }
        try Folder.write("groundcrew\n", to: home.databaseMark)
    }

    private static func url(database: String, socketFolder: String) -> String {
        "postgresql://groundcrew@/\(Text.urlQuery(database))?host=\(Text.urlQuery(socketFolder))"
    }
}
