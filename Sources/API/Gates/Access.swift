import Domain

extension Route.Access {
    /// - Throws: 403 where the caller's scopes or role do not suffice (contract X-4, D-4).
    func check(_ caller: Caller) throws {
        switch self {
        case .open: break
        case .read: guard caller.mayRead else { throw APIError.forbidden("Insufficient permissions") }
        case .write: guard caller.mayWrite else { throw APIError.writeAccess }
        case .webhooks: try need(.webhooksWrite, caller)
        case .tasksRead: try need(.tasksRead, caller)
        case .tasksWrite: try need(.tasksWrite, caller)
        case .profile: if !caller.isContributor { try Route.Access.read.check(caller) }
        case .contributor:
            guard caller.key == nil else { throw APIError.unauthorized }
            guard caller.isContributor else { throw APIError.forbidden("This is for contributors") }
        case .session: if !caller.isContributor { _ = try role(caller) }
        case .admin: guard try role(caller) >= .admin else { throw APIError.forbidden("Insufficient permissions") }
        }
    }

    /// A scope implies no other, and a role no scope of the collection family (decision D-5).
    private func need(_ scope: Scope, _ caller: Caller) throws {
        guard caller.scopes.contains(scope) else {
            throw APIError.forbidden("Key lacks the required scope \(scope.rawValue)")
        }
    }

    private func role(_ caller: Caller) throws -> Role {
        guard let role = caller.role else {
            let isKey = caller.key != nil
            throw APIError.forbidden(isKey ? "Log in for this: an API key may not do it" : "Insufficient permissions")
        }
        return role
    }
}

extension Route {
    /// A key that is for one engagement sees nothing else: others are as unknown to it as another tenant's.
    ///
    /// - Throws: 404 for another engagement, 403 outside `/api/engagements/:id`.
    func checkEngagement(_ caller: Caller, id: String?) throws {
        guard let only = caller.engagement else { return }
        guard path.hasPrefix("/api/engagements/:id") else {
            throw APIError.forbidden("This API key is for one engagement only")
        }
        guard id == only.rawValue else {
            throw path.hasPrefix("/api/engagements/:id/attachments") ? APIError.noEngagement : .noRoute
        }
    }
}
