import Domain
import Stores

/// `/api/api-keys`: managed with a session by admins, never with a key (contract S-5 to S-7, decision D-4).
struct KeyRoutes: Routes {
    let stores: Stores

    var table: [Route] {
        [
            .get("/api/api-keys", access: .admin, use: list),
            .post("/api/api-keys", access: .admin, use: create),
            .post("/api/api-keys/:id/rotate", access: .admin, use: rotate),
            .delete("/api/api-keys/:id", access: .admin, use: revoke),
        ]
    }

    @Sendable
    func list(_ request: APIRequest) async throws -> APIResponse {
        let keys = try await stores.keys.list(request.caller.tenant)
        return .ok(["keys": .array(keys.map { .object($0.members) })])
    }

    /// The only answer that ever holds the key.
    @Sendable
    func create(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let draft = try Self.draft(await request.object())
        if let engagement = draft.engagement {
            guard try await stores.engagements.exists(engagement, caller.tenant) else {
                throw APIError.invalid("engagementId: unknown engagement")
            }
        }
        let made = try await stores.keys.create(draft, tenant: caller.tenant, user: caller.user)
        return .created(Self.shown(made))
    }

    /// The old key stops at once, unless `overlapSeconds` lets it go on beside the new one.
    @Sendable
    func rotate(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let overlap = try Self.overlap(await request.optionalObject()["overlapSeconds"])
        let made = try await stores.keys.rotate(
            request.parameters["id"] ?? "",
            tenant: caller.tenant,
            overlap: overlap
        )
        guard let made else { throw APIError.noRoute }
        return .ok(Self.shown(made))
    }

    @Sendable
    func revoke(_ request: APIRequest) async throws -> APIResponse {
        guard try await stores.keys.revoke(request.parameters["id"] ?? "", tenant: request.caller.tenant) else {
            throw APIError.noRoute
        }
        return .ok(["success": true])
    }

    private static func shown(_ made: (row: KeyRow, plaintext: String)) -> JSON {
        var members = made.row.members
        members["key"] = .string(made.plaintext)
        return .object(members)
    }

    // MARK: What is sent

    private static func draft(_ body: [String: JSON]) throws -> KeyStore.Draft {
        guard let name = AccountFields.name(body["name"]) else { throw APIError.invalid("name is required") }
        guard let mode = KeyMode(rawValue: try text(body["mode"], "mode") ?? "live") else {
            throw APIError.invalid("mode must be live or test")
        }
        return KeyStore.Draft(
            name: name,
            mode: mode,
            scopes: try scopes(body["scopes"]),
            engagement: try text(body["engagementId"], "engagementId").map { ID($0) },
            expiresAt: try expiry(body["expiresAt"])
        )
    }

    private static func text(_ value: JSON?, _ field: String) throws -> String? {
        guard let value, value != .null else { return nil }
        guard let text = value.stringValue else { throw APIError.invalid("\(field) must be a string") }
        return text
    }

    private static func scopes(_ value: JSON?) throws -> [Scope] {
        guard let value, value != .null else { return [.readWrite] }
        let names = Scope.allCases.map(\.rawValue).joined(separator: ", ")
        guard let items = value.arrayValue, !items.isEmpty else {
            throw APIError.invalid("scopes must be an array of one or more of: \(names)")
        }
        return try items.enumerated().map { index, item in
            guard let scope = item.stringValue.flatMap(Scope.init(rawValue:)) else {
                throw APIError.invalid("scopes[\(index)] must be one of: \(names)")
            }
            return scope
        }
    }

    private static func expiry(_ value: JSON?) throws -> String? {
        guard let text = try text(value, "expiresAt") else { return nil }
        guard let moment = Timestamp(iso8601: text) else {
            throw APIError.invalid("expiresAt must be a moment such as 2030-01-31T12:00:00Z")
        }
        return moment.seconds
    }

    private static func overlap(_ value: JSON?) throws -> Int {
        guard let value, value != .null else { return 0 }
        guard let seconds = value.intValue, (0...KeyStore.longestOverlap).contains(seconds) else {
            throw APIError.invalid("overlapSeconds must be a whole number from 0 to \(KeyStore.longestOverlap)")
        }
        return seconds
    }
}

extension KeyRow {
    fileprivate var members: [String: JSON] {
        [
            "id": .string(id), "name": .string(name), "prefix": .string(prefix), "mode": .string(mode.rawValue),
            "scopes": .array(scopes.map(JSON.string)), "engagementId": .optional(engagement?.rawValue),
            "lastUsedAt": .optional(lastUsedAt?.milliseconds), "expiresAt": .optional(expiresAt?.milliseconds),
            "createdAt": .string(createdAt.milliseconds),
        ]
    }
}
