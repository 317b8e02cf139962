import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

// What tests of data collection begin with.
extension APIUnderTest {
    /// A key of the tenant, or of another one.
    func collectionKey(
        _ scopes: [Scope] = APIUnderTest.collectionScopes,
        _ mode: KeyMode = .test,
        of other: Tenant.ID? = nil
    ) async throws -> String {
        let accounts = world.stores.accounts
        return try #require(
            try await accounts.createKey(tenant: other ?? tenant, name: "c", scopes: scopes, mode: mode)
        ).plaintext
    }

    /// A contributor's headers.
    func contributor() async throws -> [String: String] {
        let email = "\(CUID.make())@contributors.example"
        let made = try #require(try await world.stores.contributors.create(email: email, name: nil))
        return try await logIn(email, made.password)
    }

    /// A task as the API makes it; open, unless it is to wait for its money.
    func task(reward: Int = 250, target: Int = 2, funded: Bool = true, key: String? = nil) async throws -> String {
        let body = #"""
            {"title":"Record a busy street","instructions":"Walk any street for 30 s.",
             "reward_cents":\#(reward),"target_submissions":\#(target)}
            """#
        let made = try await post("/api/v1/tasks", body, bearer(key ?? collectionKey))
        let id = try #require(made.body["data"]?["id"]?.stringValue, "create answered \(made.status): \(made.text)")
        if funded { _ = try #require(try await world.stores.collectionDesk.fund(ID(id), amount: nil)) }
        return id
    }

    /// A key that a contributor has uploaded to, as far as anybody can see.
    func uploaded(_ task: String, by contributor: [String: String]) async throws -> String {
        let path = "/api/contributor/tasks/\(task)/uploads"
        let granted = try await post(path, #"{"byte_size":1000,"mime_type":"video/mp4"}"#, contributor)
        let key = try #require(granted.body["media_object_key"]?.stringValue, "\(granted.status): \(granted.text)")
        _ = try await world.postgres.query(
            """
            INSERT INTO blobs (storage_key, tenant_id, bucket, size_bytes, state)
            VALUES (\(key), \(tenant), 'submissions', 987, 'live')
            """
        )
        return key
    }

    /// A pending submission.
    func submission(for task: String, by contributor: [String: String]) async throws -> String {
        let key = try await uploaded(task, by: contributor)
        let body = JSON.object(["media_object_key": .string(key), "duration_seconds": 31]).text
        let made = try await post("/api/contributor/tasks/\(task)/submissions", body, contributor)
        return try #require(made.body["id"]?.stringValue, "submit answered \(made.status): \(made.text)")
    }

    /// With the key of every scope.
    func collect(_ path: String) async throws -> Reply { try await get("/api/v1" + path, bearer(collectionKey)) }
    func decide(_ path: String, _ body: String = "{}", server: Int = 0) async throws -> Reply {
        try await post("/api/v1" + path, body, bearer(collectionKey), server: server)
    }

    func count(_ sql: SQL) async throws -> Int {
        try await world.postgres.query(sql).first?.decode(Int.self) ?? -1
    }
}

extension Reply {
    var code: String? { body["error"]?["code"]?.stringValue }
    var data: JSON? { body["data"] }
    var faultPaths: [String] { body.faultPaths }

    /// Whether the text names these members one after the other.
    func names(_ members: [String]) -> Bool {
        var rest = text[...]
        for member in members {
            guard let found = rest.range(of: "\"\(member)\":") else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
