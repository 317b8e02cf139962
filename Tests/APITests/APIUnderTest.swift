import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Stores
import TestSupport
import Testing

@testable import API

extension APIService.Settings {
    static func forTests(
        limits: [RateTier: RateLimit] = [:],
        replicas: Int = 1,
        publicURL: String? = nil,
        signupIsOpen: Bool = false,
        paymentJobs: PaymentJobs? = nil,
        payments: PaymentSettings = .none
    ) -> APIService.Settings {
        APIService.Settings(
            publicURL: publicURL,
            rates: RateSettings(limits: limits, replicas: replicas, patience: .seconds(20)),
            trustsProxy: true,
            signupIsOpen: signupIsOpen,
            allowSimulation: false,
            testSettings: [],
            secret: Array(0..<32),
            paymentJobs: paymentJobs,
            payments: payments
        )
    }

    /// So wide that no test meets them.
    static let unlimited = unlimited()

    static func unlimited(publicURL: String? = nil, paymentJobs: PaymentJobs? = nil) -> APIService.Settings {
        let limits = RateTier.limited.map { ($0, RateLimit(count: 100_000, seconds: 60)) }
        return forTests(
            limits: Dictionary(uniqueKeysWithValues: limits),
            publicURL: publicURL,
            paymentJobs: paymentJobs
        )
    }
}

/// What came back.
struct Reply: Sendable {
    let status: Int
    let text: String
    let headers: HTTPFields

    var body: JSON { (try? JSON(parsing: Data(text.utf8))) ?? .null }
    func number(_ name: String) -> Int? { HTTPField.Name(name).flatMap { headers[$0] }.flatMap { Int($0) } }
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
    /// `gc_session=…`, as a browser sends it back.
    var cookie: String? { headers[.setCookie]?.split(separator: ";").first.map(String.init) }
}

/// Some API servers with nothing in common but Postgres and Redis, and a tenant with a read_write key.
struct APIUnderTest: Sendable {
    typealias Call = @Sendable (HTTPRequest.Method, String, String?, [String: String]) async throws -> Reply

    let world: World
    let servers: [Call]
    let routes: [Route]
    let tenant: Tenant.ID
    let email: String
    let key: String
    /// With every scope of the collection family.
    let collectionKey: String

    static let password = "a long password"
    static let collectionScopes: [Scope] = [.tasksRead, .tasksWrite, .webhooksWrite]

    // Made once: a hash is expensive on purpose.
    private static let passwordHash = Task { try await PasswordHasher().hash(password) }

    static func run(
        servers count: Int = 1,
        settings: APIService.Settings = .unlimited,
        plan: Plan? = .enterprise,
        redisURL: String? = nil,
        extra: [Route] = [],
        _ body: @escaping @Sendable (APIUnderTest) async throws -> Void
    ) async throws {
        let world = try await World.fresh(redisURL: redisURL)
        let stores = world.stores
        let tenant = try await stores.accounts.createTenant(
            name: "T",
            plan: plan,
            passwordHash: try await passwordHash.value
        )
        let key = try #require(
            try await stores.accounts.createKey(tenant: tenant.id, name: "k", scopes: [.readWrite], mode: .live)
        )
        let collectionKey = try #require(
            try await stores.accounts.createKey(tenant: tenant.id, name: "c", scopes: collectionScopes, mode: .test)
        )
        let tables = (0..<count).map { _ in
            let table = APIService.table(stores: stores, queue: world.queue, settings: settings, logger: world.logger)
            return RouteTable(routes: table.routes + extra, gatehouse: table.gatehouse, logger: world.logger)
        }
        try await serve(tables[...], []) { calls in
            try await body(
                APIUnderTest(
                    world: world,
                    servers: calls,
                    routes: tables[0].routes,
                    tenant: tenant.id,
                    email: tenant.email,
                    key: key.plaintext,
                    collectionKey: collectionKey.plaintext
                )
            )
        }
        await world.close()
    }

    private static func serve(
        _ tables: ArraySlice<RouteTable>,
        _ calls: [Call],
        _ body: @escaping @Sendable ([Call]) async throws -> Void
    ) async throws {
        guard let table = tables.first else { return try await body(calls) }
        let rest = tables.dropFirst()
        try await Application(router: table.router()).test(.router) { client in
            let call: Call = { method, path, body, headers in
                var fields = HTTPFields()
                for (name, value) in headers {
                    if let name = HTTPField.Name(name) { fields[name] = value }
                }
                let response = try await client.execute(
                    uri: path,
                    method: method,
                    headers: fields,
                    body: body.map { ByteBuffer(string: $0) }
                )
                let text = String(decoding: response.body.readableBytesView, as: UTF8.self)
                return Reply(status: Int(response.status.code), text: text, headers: response.headers)
            }
            try await serve(rest, calls + [call], body)
        }
    }

    // MARK: Calls

    func get(_ path: String, _ headers: [String: String]? = nil, server: Int = 0) async throws -> Reply {
        try await servers[server](.get, path, nil, headers ?? bearer(key))
    }

    func post(
        _ path: String,
        _ body: String = "{}",
        _ headers: [String: String]? = nil,
        server: Int = 0
    ) async throws -> Reply {
        try await servers[server](.post, path, body, headers ?? bearer(key))
    }

    func bearer(_ key: String, _ more: [String: String] = [:]) -> [String: String] {
        more.merging(["Authorization": "Bearer \(key)"]) { first, _ in first }
    }

    /// The headers of somebody who has logged in.
    func logIn(_ email: String? = nil, _ password: String = APIUnderTest.password) async throws -> [String: String] {
        let body = JSON.object(["email": .string(email ?? self.email), "password": .string(password)]).text
        let reply = try await post("/api/auth/login", body, [:])
        return ["Cookie": try #require(reply.cookie, "login answered \(reply.status): \(reply.text)")]
    }

    /// Adds a member and logs it in.
    func member(_ role: Role) async throws -> (id: String, cookie: [String: String]) {
        let email = "\(role.rawValue)@\(tenant).example"
        let added = try #require(try await world.stores.members.add(tenant, email: email, role: role))
        return (added.member.id.rawValue, try await logIn(email, try #require(added.password)))
    }

    static let draft = #"{"name":"N","client":"C","brief":"B"}"#
}
