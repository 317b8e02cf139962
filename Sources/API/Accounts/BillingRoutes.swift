import Domain
import Stores

/// `GET /api/billing` (contract S-9): plan, limits and what was used of them.
struct BillingRoutes: Routes {
    let billing: BillingStore

    var table: [Route] { [.get("/api/billing", use: show)] }

    @Sendable
    func show(_ request: APIRequest) async throws -> APIResponse {
        let billing = try await billing.billing(request.caller.tenant)
        // Without a subscription nothing can be created; files count as a starter's (contract A-9).
        let files = billing.plan ?? .starter
        let perMonth = billing.plan.map { $0.engagementsPerMonth.map(JSON.integer) ?? .null } ?? 0
        return .ok([
            "plan": .optional(billing.plan?.rawValue), "status": .string(billing.status),
            "currentPeriodEnd": .optional(billing.currentPeriodEnd?.milliseconds),
            "cancelAtPeriodEnd": .bool(billing.cancelAtPeriodEnd),
            "limits": [
                "engagementsPerMonth": perMonth, "maxFileBytes": .integer(files.maxFileBytes),
                "maxTotalBytes": .integer(files.maxTotalBytes),
            ],
            "usage": ["engagements": .integer(billing.engagements), "storageBytes": .integer(billing.storageBytes)],
        ])
    }
}
