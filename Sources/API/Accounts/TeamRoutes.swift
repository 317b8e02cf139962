import Domain
import Stores

/// `/api/team`: who belongs to the tenant (contract S-8).
struct TeamRoutes: Routes {
    let members: MemberStore

    var table: [Route] {
        [
            .get("/api/team", use: list),
            .post("/api/team", access: .admin, use: add),
            .patch("/api/team/:userId", access: .admin, use: edit),
            .delete("/api/team/:userId", access: .admin, use: remove),
        ]
    }

    @Sendable
    func list(_ request: APIRequest) async throws -> APIResponse {
        let members = try await members.list(request.caller.tenant)
        return .ok(["members": .array(members.map { .object($0.members) })])
    }

    /// Somebody new gets an account; `initialPassword` is in this answer only, for the admin to pass on.
    @Sendable
    func add(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let body = try await request.object()
        guard let email = AccountFields.email(body["email"]) else { throw APIError.invalid("email is required") }
        let added = try await members.add(
            caller.tenant,
            email: email,
            name: try AccountFields.optionalName(body["name"]),
            role: try Self.role(body["role"]) ?? .member,
            by: caller.user
        )
        guard let added else { throw APIError.conflict("This person is a member already") }
        var members = added.member.members
        members["initialPassword"] = .optional(added.password)
        return .created(.object(members))
    }

    @Sendable
    func edit(_ request: APIRequest) async throws -> APIResponse {
        let body = try await request.object()
        let edit = MemberStore.Edit(role: try Self.role(body["role"]), isSuspended: try Self.suspended(body["status"]))
        let change = try await members.edit(request.id("userId"), request.caller.tenant, edit)
        return .ok(.object(try Self.changed(change).members))
    }

    @Sendable
    func remove(_ request: APIRequest) async throws -> APIResponse {
        _ = try Self.changed(await members.remove(request.id("userId"), request.caller.tenant))
        return .ok(["success": true])
    }

    private static func changed(_ change: MemberStore.Change) throws -> Member {
        switch change {
        case .changed(let member): return member
        case .notFound: throw APIError.noRoute
        case .isOwner: throw APIError.conflict("The owner cannot be changed or removed")
        }
    }

    private static func role(_ value: JSON?) throws -> Role? {
        guard let value, value != .null else { return nil }
        guard let role = value.stringValue.flatMap(Role.init(rawValue:)), role != .owner else {
            throw APIError.invalid("role must be viewer, member or admin")
        }
        return role
    }

    private static func suspended(_ value: JSON?) throws -> Bool? {
        guard let value, value != .null else { return nil }
        switch value.stringValue {
        case "active": return false
        case "suspended": return true
        default: throw APIError.invalid("status must be active or suspended")
        }
    }
}

extension Member {
    fileprivate var members: [String: JSON] {
        [
            "id": .string(id.rawValue), "email": .optional(email), "name": .string(name),
            "role": .string(role.rawValue), "status": .string(status),
            "lastLoginAt": .optional(lastLoginAt?.milliseconds), "invitedBy": .optional(invitedBy?.rawValue),
            "createdAt": .string(createdAt.milliseconds),
        ]
    }
}
