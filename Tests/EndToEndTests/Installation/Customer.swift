import Domain
import Foundation
import NIOHTTP1
import Stores
import TestSupport
import Testing

/// The same credential at either replica.
struct Credential: Sendable {
    let a: Caller
    let b: Caller

    /// A key, whoever made it, at the replicas with these ports.
    init(key: String, ports: [Int]) {
        self.init(a: Caller(port: ports[0], key: key), b: Caller(port: ports[1], key: key))
    }

    init(a: Caller, b: Caller) {
        self.a = a
        self.b = b
    }

    /// In turn over the replicas.
    subscript(turn: Int) -> Caller { turn.isMultiple(of: 2) ? a : b }
}

/// A tenant of a scenario. Each scenario makes its own, so that none spoils another.
struct Customer: Sendable {
    let id: Tenant.ID
    /// The owner's.
    let email: String
    fileprivate let house: Installation

    /// Of every owner.
    private static let password = "a long password"
    // Made once: a hash is expensive on purpose.
    fileprivate static let passwordHash = Task { try await PasswordHasher().hash(password) }

    /// A new API key.
    func key(_ scopes: Scope..., mode: KeyMode = .live) async throws -> Credential {
        let accounts = house.fleet.world.stores.accounts
        let held = scopes.isEmpty ? [.readWrite] : scopes
        let key = try await accounts.createKey(tenant: id, name: "k", scopes: held, mode: mode)
        return house.credential(try #require(key).plaintext)
    }

    /// A new API key with every scope of data collection.
    func buyer(_ mode: KeyMode = .test) async throws -> Credential {
        try await key(.tasksRead, .tasksWrite, .webhooksWrite, mode: mode)
    }

    /// A session of the owner's.
    func owner() async throws -> Credential { try await house.session(email, Self.password) }

    /// Adds somebody to the team, who logs in.
    func member(_ role: Role, by owner: Credential) async throws -> (id: String, session: Credential) {
        let email = "\(role.rawValue)@\(id).example"
        let wish: JSON = ["email": .string(email), "role": .string(role.rawValue)]
        let added = try await owner.a.call("POST", "/api/team", wish).body
        let password = try #require(added["initialPassword"]?.stringValue, "\(added.text)")
        return (try #require(added["id"]?.stringValue), try await house.session(email, password))
    }
}

extension Installation {
    /// A key, whoever made it.
    func credential(_ key: String) -> Credential { Credential(key: key, ports: ports) }

    /// A new tenant with an owner.
    ///
    /// - Parameter plan: nil is one without a subscription.
    func customer(_ plan: Plan?) async throws -> Customer {
        let tenant = try await fleet.world.stores.accounts.createTenant(
            name: "Test",
            plan: plan,
            passwordHash: try await Customer.passwordHash.value
        )
        return Customer(id: tenant.id, email: tenant.email, house: self)
    }

    fileprivate func session(_ email: String, _ password: String) async throws -> Credential {
        let body: JSON = ["email": .string(email), "password": .string(password)]
        let answer = try await Caller(port: ports[0], key: "").ask("POST", "/api/auth/login", body.text)
        let cookie = answer.headers.first(name: "Set-Cookie")?.split(separator: ";").first.map(String.init)
        let session = try #require(cookie, "login answered \(answer.status): \(answer.text)")
        return Credential(
            a: Caller(port: ports[0], key: "", cookie: session),
            b: Caller(port: ports[1], key: "", cookie: session)
        )
    }
}
