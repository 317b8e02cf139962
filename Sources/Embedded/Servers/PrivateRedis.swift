package import Logging

/// A Redis of our own: a child process that is reached over a Unix socket and ends with this process, `kill -9` included.
///
/// It never evicts (`noeviction`, O-10), and it opens no port. Calls that start and stop are meant to come one after another.
package actor PrivateRedis {
    /// `redis+unix:///path/redis.sock?db=0`.
    package nonisolated let url: String
    /// The path of its socket, for `redis-cli -s`.
    package nonisolated let socket: String

    private let place: String
    private let program: String
    private let durability: Durability
    private let doomedFolder: String?
    private let logger: Logger
    private var lock: FolderLock?
    private var server: ChildServer?

    private static let graceSeconds = 10
    private static let readySeconds = 60
    private static let socketName = "redis.sock"

    private init(directory: String, durability: Durability, doomedFolder: String?, logger: Logger) throws {
        program = try Installed.redisServer()
        place = Path.absolute(directory)
        try Folder.make(place)
        lock = try FolderLock.take(place + "/owner.lock")
        let folder = try SocketPlace.choose(preferred: place, name: Self.socketName, user: .current)
        socket = folder + "/" + Self.socketName
        url = "redis+unix://\(Text.urlQuery(socket))?db=0"
        self.durability = durability
        self.doomedFolder = doomedFolder
        self.logger = logger
    }

    /// Starts Redis in `directory` and returns when it answers, with its old data loaded.
    ///
    /// - Parameters:
    ///   - directory: made when missing; holds the append-only files, `redis.log`, the locks and normally the socket.
    ///   - durability: `.durable` writes the append-only log every second, `.throwaway` keeps nothing over a restart.
    ///   - empty: removes what an earlier start has kept.
    ///   - doomedFolder: a folder to remove, with all in it, when this process ends without having stopped the server.
    ///   - logger: hears when the server ends unasked.
    /// - Returns: the running Redis.
    /// - Throws: ``EmbeddedError``, or `CancellationError` when the task was cancelled.
    package static func start(
        directory: String,
        durability: Durability,
        empty: Bool = false,
        doomedFolder: String? = nil,
        logger: Logger
    ) async throws -> PrivateRedis {
        let redis = try PrivateRedis(
            directory: directory,
            durability: durability,
            doomedFolder: doomedFolder,
            logger: logger
        )
        try await redis.boot(empty: empty)
        return redis
    }

    /// The server's own process id, 0 when it does not run.
    package var processID: Int32 { server.map { $0.hasEnded ? 0 : $0.processID } ?? 0 }

    /// The address of logical database `number` (0 to 15; 0 to 255 in a throwaway server).
    package nonisolated func url(database number: Int) -> String {
        "redis+unix://\(Text.urlQuery(socket))?db=\(number)"
    }

    /// Ends the server in order (SIGTERM), or kills it when that takes more than 10 s. A second call does nothing.
    package func stop() async {
        await server?.end(signal: "TERM", within: .seconds(Self.graceSeconds))
        server = nil
        lock?.release()
        lock = nil
        if Path.parent(socket) != place { try? Folder.remove(Path.parent(socket)) }
    }

    /// Kills the server process with SIGKILL, as a crash would. The folder stays ours.
    package func kill() async {
        await server?.kill()
        server = nil
    }

    /// Starts the server again in the same folder and under the same ``url``, after ``stop()``, ``kill()`` or a crash; a
    /// running one is stopped first.
    ///
    /// - Parameter empty: forgets what was kept, as a Redis whose disk was lost would.
    /// - Throws: as ``start(directory:durability:empty:doomedFolder:logger:)``.
    package func restart(empty: Bool = false) async throws {
        if lock == nil { lock = try FolderLock.take(place + "/owner.lock") }
        await server?.end(signal: "TERM", within: .seconds(Self.graceSeconds))
        server = nil
        if Path.parent(socket) != place { try Folder.makePrivate(Path.parent(socket), for: .current) }
        try await boot(empty: empty)
    }

    /// Removes the data of a Redis that was started in `directory`.
    ///
    /// - Throws: ``EmbeddedError/folderInUse(folder:owner:)`` while it runs.
    package static func erase(directory: String) throws {
        let place = Path.absolute(directory)
        guard Inode(place) != nil else { return }
        let lock = try FolderLock.take(place + "/owner.lock")
        defer { lock.release() }
        for name in kept + ["redis.log", "server.lock", "owner.lock"] { try Folder.remove(place + "/" + name) }
        Folder.removeIfEmpty(place)
    }

    /// What Redis itself keeps in its folder.
    private static let kept = ["appendonlydir", "dump.rdb"]

    private func boot(empty: Bool) async throws {
        do {
            try await FolderLock.waitUntilFree(place + "/server.lock", seconds: Self.graceSeconds)
            if empty { for name in Self.kept { try Folder.remove(place + "/" + name) } }
            try await launch()
        } catch {
            await stop()
            throw error
        }
    }

    private func launch() async throws {
        let log = LogTail(place + "/redis.log")
        let server = try await ChildServer.start(
            Lifeline(
                command: [program] + RedisSettings.arguments(folder: place, socket: socket, durability: durability),
                stopSignal: "TERM",
                graceSeconds: Self.graceSeconds,
                lockFile: place + "/server.lock",
                logFile: log.path,
                doomedFolder: doomedFolder
            ),
            name: "Redis",
            logger: logger
        )
        self.server = server
        try await server.waitUntilReady(name: "Redis", within: Self.readySeconds, log: log) {
            RedisPing.answers(at: socket)
        }
    }
}
