/// What a server's log said since this start.
struct LogTail: Sendable {
    let path: String
    private let begin: Int

    init(_ path: String) {
        self.path = path
        begin = Folder.text(of: path)?.utf8.count ?? 0
    }

    /// Its last eight lines, on one line.
    var lastWords: String {
        let new = (Folder.text(of: path) ?? "").utf8.dropFirst(begin)
        let lines = String(decoding: new, as: UTF8.self).split(separator: "\n").suffix(8)
        return lines.isEmpty ? "(nothing)" : lines.joined(separator: " | ")
    }
}

extension ChildServer {
    /// Waits until `isReady`, and kills the server when it does not come.
    ///
    /// - Throws: ``EmbeddedError/serverEnded(name:logFile:lastWords:)`` as soon as the server ends,
    ///   ``EmbeddedError/notReady(name:logFile:seconds:)`` after `seconds`, `CancellationError`.
    func waitUntilReady(name: String, within seconds: Int, log: LogTail, isReady: () -> Bool) async throws {
        let answered = try await Condition.holds(within: .seconds(seconds)) {
            try Task.checkCancellation()
            if hasEnded { throw EmbeddedError.serverEnded(name: name, logFile: log.path, lastWords: log.lastWords) }
            return isReady()
        }
        guard answered else {
            await kill()
            throw EmbeddedError.notReady(name: name, logFile: log.path, seconds: seconds)
        }
    }
}
