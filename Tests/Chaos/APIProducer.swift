import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import Stores
import Synchronization

/// Feeds crew runs through the real API, and asks twice for each: the second time must be refused or come after the first.
struct APIProducer: Sendable {
    let sea: Sea
    let progress: Progress
    let port: Int
    let key: String

    /// Makes the tenant and the key that the calls use.
    static func make(_ sea: Sea, _ progress: Progress, port: Int) async throws -> APIProducer? {
        let tenant = try await sea.stores.accounts.createTenant(name: "Chaos", plan: .enterprise)
        let key = try await sea.stores.accounts.createKey(
            tenant: tenant.id,
            name: "chaos",
            scopes: [.readWrite],
            mode: .live
        )
        return key.map { APIProducer(sea: sea, progress: progress, port: port, key: $0.plaintext) }
    }

    func run() async throws {
        while !Task.isCancelled, !progress.isFilled {
            await oneRun()
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// An error is an outcome that nobody knows; the run, if there is one, must end all the same.
    private func oneRun() async {
        let tasks: JSON = .array(
            (1...3).map { number in
                [
                    "id": .string("task_\(number)"), "title": .string("Task \(number)"),
                    "simulate": ["ms": 100, "costUsd": 0.01],
                ]
            }
        )
        let draft: JSON = [
            "name": "Chaos", "client": "Test", "brief": "Weather it.", "budget": .number(5), "tasks": tasks,
        ]
        guard let created = try? await call("/api/engagements", draft), created.status == 201,
            let id = created.body["id"]?.stringValue
        else { return }
        async let first = call("/api/engagements/\(id)/run")
        async let second = call("/api/engagements/\(id)/run")
        let answers = [try? await first, try? await second].compactMap { $0?.status }
        progress.state.withLock { state in
            if answers.contains(200) { state.runs += 1 }
            state.refusedRuns += answers.count { $0 == 409 }
        }
    }

    private func call(_ path: String, _ body: JSON? = nil) async throws -> (status: Int, body: JSON) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        if let body { request.body = .bytes(ByteBuffer(string: body.text)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return (Int(response.status.code), (try? JSON(parsing: Data(bytes.readableBytesView))) ?? .null)
    }
}
