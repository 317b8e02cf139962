import Domain
import Stores

/// Lets a route's answer see the rows of its caller's tenant only, whatever its queries ask for: the second wall behind the
/// `tenant_id =` of every query.
struct TenantWalls: Sendable {
    let stores: Stores

    /// The same row behind the wall; as it is where the answer is about a person, who may have sessions with several
    /// tenants, or a contributor, who works for all of them.
    func around(_ row: Route, for caller: Caller?) -> Route {
        guard let caller, !caller.isContributor, !caller.tenant.rawValue.isEmpty, row.access.isOfTenant else {
            return row
        }
        var walled = row
        walled.answer = { request in
            try await stores.asTenant(caller.tenant) { try await row.answer(request) }
        }
        if let finish = row.finish {
            walled.finish = { request, response in
                let whole = try? await stores.asTenant(caller.tenant) { await finish(request, response) }
                return whole ?? response
            }
        }
        return walled
    }
}

extension Route.Access {
    fileprivate var isOfTenant: Bool {
        switch self {
        case .read, .write, .admin, .webhooks, .tasksRead, .tasksWrite: true
        case .open, .session, .profile, .contributor: false
        }
    }
}
