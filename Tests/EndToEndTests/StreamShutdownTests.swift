import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

/// Live streams when their process ends.
@Suite("Stream shutdown")
struct StreamShutdownTests {
    @Test("SIGTERM ends open streams in order: the client is told when to come back, and the process exits with 0")
    func sigterm() async throws {
        let fleet = try await FleetUnderTest()
        let port = freePort()
        let api = try fleet.start("api", "--port", String(port))
        let caller = try await Caller.ready(fleet, port: port)
        // Nobody works on it, so the run stays as it is.
        let id = try await caller.startRun(tasks: [["id": "a", "title": "A"]])
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/api/engagements/\(id)/stream")
        request.headers.add(name: "Authorization", value: "Bearer \(caller.key)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        var text = ""
        var isTold = false
        for try await part in response.body {
            text += String(buffer: part)
            guard !isTold, text.contains("data: ") else { continue }
            isTold = true
            api.signal(SIGTERM)
        }
        #expect(isTold && text.hasPrefix("retry: 3000\n\nid: ") && text.hasSuffix("\n\nretry: 3000\n\n"))
        #expect(try await api.end(within: .seconds(10)) == 0)
        await fleet.close()
    }
}
