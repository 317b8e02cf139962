import Foundation
import Logging
import Synchronization
import Testing

@testable import RedisClient

/// A private redis-server as a child process, on a socket in a folder of its own.
///
/// The shell between us and the server reads a pipe that only we write to: when this process ends, however it ends,
/// the pipe closes and the shell kills the server and removes its folder.
final class RedisServer: Sendable {
    private struct Child {
        var pid: pid_t
        var lifeline: Pipe
    }

    let directory: String
    private let options: [String]
    private let child: Mutex<Child>

    init(_ options: [String] = [], in directory: String? = nil) throws {
        self.directory = try directory ?? Self.freshDirectory()
        self.options =
            ["--port", "0", "--unixsocket", self.directory + "/redis.sock", "--dir", self.directory]
            + ["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"] + options
        child = Mutex(try Self.launch(self.options, in: self.directory))
    }

    deinit { stop() }

    static func freshDirectory() throws -> String {
        let path = "/tmp/rc-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    var url: String { "redis+unix://\(directory)/redis.sock" }

    func configuration(_ change: (inout RedisConfiguration) -> Void = { _ in }) throws -> RedisConfiguration {
        var configuration = try RedisConfiguration(url: url)
        change(&configuration)
        return configuration
    }

    /// A client that has connected already.
    func client(_ change: (inout RedisConfiguration) -> Void = { _ in }) async throws -> Redis {
        let redis = Redis(try configuration(change), logger: quiet)
        try await eventually("the client connects") { redis.isConnected }
        return redis
    }

    func kill() { signal(SIGKILL) }
    func freeze() { signal(SIGSTOP) }
    func thaw() { signal(SIGCONT) }

    func restart() throws {
        try child.withLock { $0.lifeline }.fileHandleForWriting.write(contentsOf: Data("keep\n".utf8))
        stop()
        let fresh = try Self.launch(options, in: directory)
        child.withLock { $0 = fresh }
    }

    private func stop() {
        signal(SIGKILL)
        try? child.withLock { $0.lifeline }.fileHandleForWriting.close()
    }

    private func signal(_ number: Int32) { _ = Foundation.kill(child.withLock { $0.pid }, number) }

    private static func launch(_ options: [String], in directory: String) throws -> Child {
        let process = Process()
        let lifeline = Pipe()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let run = #"dir=$1; shift; redis-server "$@" >/dev/null 2>&1 & echo $!; "#
        let end = #"read -r keep; kill -9 $!; [ "$keep" ] || rm -rf "$dir""#
        process.arguments = ["-c", run + end, "sh", directory] + options
        process.standardInput = lifeline
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let pid = try #require(pid_t(line.trimmingCharacters(in: .whitespacesAndNewlines)))
        return Child(pid: pid, lifeline: lifeline)
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Waits for a condition, by default up to 15 s.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(15),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, "waited \(limit) in vain until \(what)")
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// The error that a body of a test meets.
func failure<T>(_ body: () async throws -> T) async throws -> RedisError {
    let met: (any Error)?
    do {
        _ = try await body()
        met = nil
    } catch {
        met = error
    }
    return try #require(met as? RedisError)
}

extension RedisError {
    /// The first attempt to connect failed, while the caller waited for it or just before.
    var isFailedConnect: Bool { code == .connectFailed || code == .disconnected(sent: false) }
}

extension Redis {
    /// How many clients of the server are in a blocking command.
    func blockedClients() async throws -> Int {
        let info = try await send(["INFO", "clients"]).string ?? ""
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("blocked_clients:") }
        return try #require(line.flatMap { Int($0.dropFirst("blocked_clients:".count)) })
    }
}

extension RedisServer {
    private static let one = Mutex<RedisServer?>(nil)

    /// One server for all tests that do it no harm; they use keys of their own.
    static func shared() throws -> RedisServer {
        try one.withLock { one in
            let server = try one ?? RedisServer()
            one = server
            return server
        }
    }
}
