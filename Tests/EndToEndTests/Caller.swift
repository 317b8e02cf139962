import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import Stores
import TestSupport

/// What the API answered, whole.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let bytes: [UInt8]

    var body: JSON { (try? JSON(parsing: Data(bytes))) ?? .null }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// - Parameter limit: for the whole of it; at most 32 MiB are taken.
    static func to(_ request: HTTPClientRequest, within limit: TimeAmount = .seconds(20)) async throws -> Answer {
        let response = try await EventClient.http.execute(request, timeout: limit)
        let body = try await response.body.collect(upTo: 32 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: response.headers,
            bytes: Array(body.readableBytesView)
        )
    }
}

/// A caller of the API.
struct Caller: Sendable {
    let port: Int
    let key: String
    /// A session's, instead of the key.
    var cookie: String?

    /// Makes a tenant and a key, and waits until the API answers.
    static func ready(_ fleet: FleetUnderTest, port: Int, stores: Stores? = nil) async throws -> Caller {
        let accounts = (stores ?? fleet.world.stores).accounts
        let tenant = try await accounts.createTenant(name: "Test", plan: .enterprise)
        guard
            let key = try await accounts.createKey(tenant: tenant.id, name: "k", scopes: [.readWrite], mode: .live)
        else { throw NeverHappened(description: "no key") }
        let caller = Caller(port: port, key: key.plaintext)
        try await eventually(within: .seconds(20), "the API to answer") {
            (try? await caller.call("GET", "/api/health"))?.status == 200
        }
        return caller
    }

    func call(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> (status: Int, body: JSON) {
        let answer = try await ask(method, path, body?.text)
        return (answer.status, answer.body)
    }

    /// - Parameters:
    ///   - body: sent as it is.
    ///   - limit: for the whole answer.
    func ask(
        _ method: String,
        _ path: String,
        _ body: String? = nil,
        within limit: TimeAmount = .seconds(20)
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .init(rawValue: method)
        request.headers.add(contentsOf: credential)
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        return try await Answer.to(request, within: limit)
    }

    /// The header that says who asks; none where there is neither cookie nor key.
    var credential: HTTPHeaders {
        if let cookie { return ["Cookie": cookie] }
        return key.isEmpty ? [:] : ["Authorization": "Bearer \(key)"]
    }
}

// MARK: Engagements

extension Caller {
    /// Creates an engagement with these tasks; returns its id.
    func create(_ tasks: JSON = [], name: String = "Load", budget: Double = 5) async throws -> String {
        let draft: JSON = [
            "name": .string(name), "client": "Test", "brief": "Test the fleet.", "budget": .number(budget),
            "tasks": tasks,
        ]
        let created = try await call("POST", "/api/engagements", draft)
        guard created.status == 201, let id = created.body["id"]?.stringValue else {
            throw NeverHappened(description: "create answered \(created.status): \(created.body.text)")
        }
        return id
    }

    /// Starts a run; returns its id.
    @discardableResult
    func start(_ id: String) async throws -> String {
        let started = try await call("POST", "/api/engagements/\(id)/run")
        guard started.status == 200, let run = started.body["runId"]?.stringValue else {
            throw NeverHappened(description: "run answered \(started.status): \(started.body.text)")
        }
        return run
    }

    /// Creates an engagement with these tasks and starts a run; returns the engagement's id.
    func startRun(tasks: JSON, budget: Double = 5) async throws -> String {
        let id = try await create(tasks, budget: budget)
        try await start(id)
        return id
    }

    /// Waits until the engagement has this status.
    func wait(_ id: String, for status: String) async throws {
        try await eventually(within: .seconds(30), "the engagement to be \(status)", poll: .milliseconds(20)) {
            try await call("GET", "/api/engagements/\(id)/status").body["status"]?.stringValue == status
        }
    }

    /// The latest run, as the engagement's detail has it.
    func run(of id: String) async throws -> JSON? {
        try await call("GET", "/api/engagements/\(id)").body["runs"]?.arrayValue?.first
    }

    /// The lines of the latest run's log.
    func logs(of id: String) async throws -> [String] {
        let body = try await call("GET", "/api/engagements/\(id)/logs").body
        return body["logs"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// The live stream, from its beginning or after the event with this id.
    func stream(_ id: String, since last: String? = nil) -> EventClient {
        EventClient(url: "http://127.0.0.1:\(port)/api/engagements/\(id)/stream", key: key, lastID: last)
    }
}

// MARK: Data collection

extension Caller {
    /// Creates a collection task of 250 dollars; returns its id.
    func createTask() async throws -> String {
        let made = try await ask("POST", "/api/v1/tasks", CollectionDraft.body([:]))
        guard made.status == 201, let id = made.body["data"]?["id"]?.stringValue else {
            throw NeverHappened(description: "create answered \(made.status): \(made.text)")
        }
        return id
    }

    /// The task as the API has it.
    func task(_ id: String) async throws -> JSON? { try await call("GET", "/api/v1/tasks/\(id)").body["data"] }
}

extension JSON {
    /// A task that a model pretends to do, titled by its id.
    ///
    /// - Parameters:
    ///   - milliseconds: how long it takes.
    ///   - cost: in dollars.
    ///   - others: the ids of the tasks that it waits for. None at all, and it begins at once.
    static func task(_ id: String, _ milliseconds: Int, _ cost: Double, after others: String...) -> JSON {
        [
            "id": .string(id), "title": .string("Task " + id.replacing("-", with: " ")),
            "dependsOn": .array(others.map(JSON.string)),
            "simulate": ["ms": .integer(milliseconds), "costUsd": .number(cost)],
        ]
    }
}
