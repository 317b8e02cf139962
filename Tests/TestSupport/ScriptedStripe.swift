package import Domain
import Foundation
import Synchronization

/// A stand-in for Stripe's API on a real socket: it makes what it is asked for, honours Idempotency-Key as Stripe does,
/// and misbehaves by script.
package final class ScriptedStripe: Sendable {
    /// What goes wrong with the next request.
    package enum Fault: Sendable {
        /// Answered without doing anything.
        case status(Int, code: String? = nil, retryAfter: String? = nil)
        /// Done, and the connection is closed instead of answering.
        case cutAfterwards
        /// The connection is closed before anything is done.
        case cut
        /// Done at once, and answered after this long.
        case late(Duration)
    }

    /// Something that was made.
    package struct Made: Sendable {
        package let id: String
        package let path: String
        package let form: [String: String]
        /// The secret that was sent.
        package let secret: String
        package let key: String
    }

    private struct State {
        var faults: [Fault] = []
        var made: [Made] = []
        var answers: [String: (form: [String: String], body: String)] = [:]
        var requests = 0
        var subscriptions: [JSON] = []
        /// How Checkout sessions have ended that are not open any more: `complete` or `expired`.
        var ended: [String: String] = [:]
    }

    /// What the server's closure and the test share.
    private final class Books: Sendable {
        let state = Mutex(State())
    }

    private let server: FakeModelServer
    private let books: Books

    private init(_ server: FakeModelServer, _ books: Books) {
        self.server = server
        self.books = books
    }

    package static func start() async throws -> ScriptedStripe {
        let books = Books()
        let server = try await FakeModelServer.start(otherwise: { Self.answer($0, books) })
        return ScriptedStripe(server, books)
    }

    package func stop() async throws { try await server.stop() }

    /// What `GC_STRIPE_API_BASE` is set to.
    package var baseURL: String { "http://127.0.0.1:\(server.port)" }

    package var requests: Int { books.state.withLock { $0.requests } }

    package func fail(_ faults: Fault...) { books.state.withLock { $0.faults += faults } }

    /// What was made at a path, oldest first.
    package func made(_ path: String) -> [Made] { books.state.withLock { $0.made.filter { $0.path == path } } }

    /// What `GET /v1/subscriptions` lists, two on a page.
    package func list(subscriptions: [JSON]) { books.state.withLock { $0.subscriptions = subscriptions } }

    /// Lets a Checkout session end without being asked.
    ///
    /// - Parameter status: `complete` or `expired`.
    package func end(_ session: String, as status: String) { books.state.withLock { $0.ended[session] = status } }

    // MARK: Answering

    private static func answer(_ seen: FakeModelServer.Seen, _ books: Books) -> FakeModelReply {
        // The daily comparison comes when the scheduler likes: it takes no fault that was meant for another.
        if seen.path.hasPrefix("/v1/subscriptions") { return subscriptions(seen.path, books) }
        let fault = books.state.withLock { state -> Fault? in
            state.requests += 1
            return state.faults.isEmpty ? nil : state.faults.removeFirst()
        }
        guard let authorization = seen.headers["authorization"], authorization.hasPrefix("Bearer ") else {
            return error(401, "invalid_request_error", nil, "You did not provide an API key.")
        }
        switch fault {
        case .cut: return .drop
        case .status(let status, let code, let retryAfter):
            let reply = error(status, "api_error", code, "Scripted fault for sk_test_123456")
            return retryAfter.map { wait in reply.with { $0.headers.append(("Retry-After", wait)) } } ?? reply
        case .cutAfterwards:
            _ = make(seen, books)
            return .drop
        case .late(let delay): return make(seen, books).with { $0.delay = delay }
        case nil: return make(seen, books)
        }
    }

    private static func make(_ seen: FakeModelServer.Seen, _ books: Books) -> FakeModelReply {
        let parts = seen.path.split(separator: "?", maxSplits: 1)
        let path = String(parts[0])
        let isOne = path.hasPrefix(sessions) && !path.hasSuffix("/expire")
        guard parts.count == 1, !isOne else {
            return list(path, fields(parts.count > 1 ? String(parts[1]) : ""), books)
        }
        let form = fields(seen.body)
        guard let key = seen.headers["idempotency-key"] else {
            return error(400, "invalid_request_error", nil, "No Idempotency-Key")
        }
        let secret = String((seen.headers["authorization"] ?? "").dropFirst("Bearer ".count))
        // Stripe's keys belong to an account in one mode.
        let scoped = (secret.hasPrefix("sk_live") ? "live " : "test ") + key
        return books.state.withLock { state in
            if let known = state.answers[scoped] {
                guard known.form == form else {
                    return error(400, "idempotency_error", nil, "Keys can only be used with the same parameters")
                }
                return .json(known.body).with { $0.headers.append(("Idempotent-Replayed", "true")) }
            }
            if path.hasPrefix(sessions), let refusal = expire(path, &state) { return refusal }
            let id = prefix(of: path) + String(UInt64.random(in: 0 ... .max), radix: 36)
            state.made.append(Made(id: id, path: path, form: form, secret: secret, key: key))
            let body: JSON = ["id": .string(id), "url": .string("https://pay.example\(path)/\(id)")]
            state.answers[scoped] = (form, body.text)
            return .json(body.text)
        }
    }

    private static let sessions = "/v1/checkout/sessions/"

    /// `POST /v1/checkout/sessions/:id/expire`: open ones only.
    private static func expire(_ path: String, _ state: inout State) -> FakeModelReply? {
        let id = String(path.dropFirst(sessions.count).dropLast("/expire".count))
        guard state.made.contains(where: { $0.id == id }) else {
            return error(404, "invalid_request_error", "resource_missing", "No such checkout.session: \(id)")
        }
        let status = state.ended[id] ?? "open"
        guard status == "open" else {
            let only = "Only Checkout Sessions with a status in [\"open\"] can be expired."
            return error(400, "invalid_request_error", nil, "\(only) This one has a status of `\(status)`.")
        }
        state.ended[id] = "expired"
        return nil
    }

    /// Objects of a path that agree with the query in what they are grouped by; or the one session whose id ends the path.
    private static func list(_ path: String, _ query: [String: String], _ books: Books) -> FakeModelReply {
        if path.hasPrefix(sessions) {
            let session = path.split(separator: "/").last.map(String.init) ?? ""
            let status = books.state.withLock { state in
                state.ended[session] ?? (state.made.contains { $0.id == session } ? "open" : "complete")
            }
            let body: JSON = [
                "id": .string(session), "payment_intent": .string("pi_of_\(session)"), "status": .string(status),
            ]
            return .json(body.text)
        }
        let group = path == "/v1/refunds" ? "payment_intent" : "transfer_group"
        let found = books.state.withLock { state in
            state.made.filter { $0.path == path && $0.form[group] == query[group] }
        }
        let data = found.map { made -> JSON in
            let task = made.form["metadata[task_id]"].map(JSON.string) ?? .null
            return ["id": .string(made.id), "status": "succeeded", "metadata": ["task_id": task]]
        }
        return .json(JSON.object(["object": "list", "data": .array(data)]).text)
    }

    private static func subscriptions(_ path: String, _ books: Books) -> FakeModelReply {
        let query = path.split(separator: "?", maxSplits: 1).dropFirst().first.map { fields(String($0)) } ?? [:]
        let all = books.state.withLock { $0.subscriptions }
        let start = query["starting_after"].flatMap { last in
            all.firstIndex { $0["id"]?.stringValue == last }.map { $0 + 1 }
        }
        let rest = all.dropFirst(start ?? 0)
        let body: JSON = [
            "object": "list", "data": .array(Array(rest.prefix(2))), "has_more": .bool(rest.count > 2),
        ]
        return .json(body.text)
    }

    private static func prefix(of path: String) -> String {
        switch path {
        case "/v1/checkout/sessions": "cs_test_"
        case "/v1/transfers": "tr_"
        case "/v1/accounts": "acct_"
        case "/v1/refunds": "re_"
        default: "obj_"
        }
    }

    private static func error(_ status: Int, _ type: String, _ code: String?, _ message: String) -> FakeModelReply {
        let error: JSON = ["type": .string(type), "code": code.map(JSON.string) ?? .null, "message": .string(message)]
        return .json(JSON.object(["error": error]).text, status: status)
    }

    private static func fields(_ form: String) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in form.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { String($0).removingPercentEncoding ?? "?" }
            fields[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        return fields
    }
}
