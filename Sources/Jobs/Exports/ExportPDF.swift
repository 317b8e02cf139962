package import Domain
private import Stores

/// Makes the PDF of an engagement or of one document of it, for a request that waits for it (contract E-59, J-5).
package struct ExportPDF: Job {
    package static let kind = JobKind.exportPDF
    package static let policy = JobPolicy(
        queue: .export,
        priority: 0,
        timeout: .seconds(60),
        retry: RetryPolicy(attempts: 2, base: .milliseconds(1), ceiling: .milliseconds(1))
    )

    let engagement: Engagement.ID
    package let tenant: Tenant.ID
    let withProvenance: Bool
    let document: Deliverable.ID?

    /// - Parameter document: the one that is wanted; nil is the newest version of each.
    package init(
        engagement: Engagement.ID,
        tenant: Tenant.ID,
        withProvenance: Bool,
        document: Deliverable.ID? = nil
    ) {
        self.engagement = engagement
        self.tenant = tenant
        self.withProvenance = withProvenance
        self.document = document
    }

    /// One job at a time makes a file.
    package static func uniqueKey(_ hash: String, _ tenant: Tenant.ID) -> String { "pdf:\(tenant.rawValue):\(hash)" }

    /// Settles with the hash under which the file lies; the content may have changed since the request looked.
    package func run(_ context: JobContext) async throws -> Outcome {
        let stores = context.services.stores
        guard
            let material = try await material(stores.exports),
            !material.report.parts.isEmpty
        else { return .cancel("there is nothing to export any more") }
        guard let renderer = context.services.documents else { return .refuse("this worker makes no documents") }
        do {
            let bytes = try await renderer.pdf(of: material.report)
            let hash = ExportFiles.hash(of: material.report)
            try await context.settle(
                writing: [ExportFiles.keep(bytes, as: hash, tenant), context.recording(["hash": .string(hash)])]
            )
            return .settled
        } catch let fault as RenderFault {
            guard case .notInstalled = fault else { throw fault }
            return .refuse(fault.description)
        }
    }

    private func material(_ exports: ExportStore) async throws -> ExportStore.Material? {
        if let document { return try await exports.material(engagement, tenant, document: document) }
        return try await exports.material(engagement, tenant, withProvenance: withProvenance)
    }
}
