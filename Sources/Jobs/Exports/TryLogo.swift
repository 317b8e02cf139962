package import Domain
private import Stores

/// Draws a logo that waits in ``BrandStore`` once, for a request that waits for it, and gives it to its tenant where that
/// went well. Answers `{"drawn"}`.
package struct TryLogo: Job {
    package static let kind = JobKind.tryLogo
    package static let policy = JobPolicy(
        queue: .export,
        priority: 0,
        timeout: .seconds(60),
        retry: RetryPolicy(attempts: 2, base: .milliseconds(1), ceiling: .milliseconds(1))
    )

    let tenant: Tenant.ID
    let draft: String

    /// - Parameter draft: what ``BrandStore`` calls the logo that waits.
    package init(tenant: Tenant.ID, draft: String) {
        self.tenant = tenant
        self.draft = draft
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        guard let logo = try await context.services.stores.brands.draft(draft, of: tenant) else {
            return .cancel("another logo has come since, or none is wanted any more")
        }
        guard let renderer = context.services.documents else { return .refuse("this worker makes no documents") }
        do {
            _ = try await renderer.pdf(of: .trial(of: logo))
        } catch RenderFault.failed {
            try await context.settle(
                writing: [BrandStore.drop(draft, of: tenant), context.recording(["drawn": false])]
            )
            return .settled
        } catch let fault as RenderFault {
            return .refuse(fault.description)
        }
        try await context.settle(
            writing: [BrandStore.adopt(draft, for: tenant), context.recording(["drawn": true])]
        )
        return .settled
    }
}
