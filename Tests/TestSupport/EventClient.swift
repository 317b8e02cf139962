package import AsyncHTTPClient
package import Domain
import Foundation
import NIOCore
import NIOHTTP1

/// A block of a stream of events, as it came over the wire.
package struct EventBlock: Sendable, Equatable {
    package let lines: [String]

    package var id: String? { lines.first { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) } }
    package var data: JSON? {
        lines.first { $0.hasPrefix("data: ") }.flatMap { try? JSON(parsing: Data($0.dropFirst(6).utf8)) }
    }
    package var type: String? { data?["type"]?.stringValue }
    /// The number at the end of the id.
    package var seq: Int? { id.flatMap { $0.split(separator: "-").last }.flatMap { Int($0) } }
}

/// What one connection to a stream brought.
package struct EventAnswer: Sendable {
    package var status = 0
    /// With names in lower case.
    package var headers: [String: String] = [:]
    package var text = ""
    /// The server ended it, not we.
    package var ended = false

    /// Those that came whole.
    package var blocks: [EventBlock] {
        var parts = text.components(separatedBy: "\n\n")
        parts.removeLast()
        return parts.map { EventBlock(lines: $0.components(separatedBy: "\n")) }
    }
    /// Blocks with data: neither comments nor `retry`.
    package var events: [EventBlock] { blocks.filter { $0.data != nil } }
    package var seqs: [Int] { events.compactMap(\.seq) }
}

/// Reads a stream of events the way a browser does, but shows every byte.
package struct EventClient: Sendable {
    package let url: String
    package let key: String
    package let lastID: String?

    /// - Parameters:
    ///   - key: an API key.
    ///   - lastID: the id of the last event that the client has, where it comes again.
    package init(url: String, key: String, lastID: String?) {
        self.url = url
        self.key = key
        self.lastID = lastID
    }

    /// Opens as many connections to one server as there are requests at once.
    package static let http = HTTPClient(
        eventLoopGroup: HTTPClient.defaultEventLoopGroup,
        configuration: .init(
            connectionPool: .init(idleTimeout: .seconds(30), concurrentHTTP1ConnectionsPerHostSoftLimit: 1000)
        )
    )

    /// Reads until the server ends the stream, or `enough` holds.
    package func read(
        until enough: (EventAnswer) async throws -> Bool = { _ in false }
    ) async throws -> EventAnswer {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        request.headers.add(name: "Accept", value: "text/event-stream")
        if let lastID { request.headers.add(name: "Last-Event-ID", value: lastID) }
        let response = try await Self.http.execute(request, timeout: .seconds(60))
        var answer = EventAnswer(status: Int(response.status.code))
        for (name, value) in response.headers { answer.headers[name.lowercased()] = value }
        for try await part in response.body {
            answer.text += String(buffer: part)
            if try await enough(answer) { return answer }
        }
        answer.ended = true
        return answer
    }
}
