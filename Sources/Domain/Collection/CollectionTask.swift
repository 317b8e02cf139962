/// What a buyer asks contributors for: so many recordings, for so much each (contract T-10 to T-12).
package struct CollectionTask: Sendable {
    package typealias ID = Domain.ID<CollectionTask>

    /// `funding` → `open` → `completed`; `funding` and `open` → `cancelled` (contract T-29). The strings are stored.
    package enum Status: String, Sendable, CaseIterable {
        case funding, open, completed, cancelled
    }

    package let id: ID
    package let tenant: Tenant.ID
    package let mode: KeyMode
    package let title: String
    package let instructions: String
    package let modalities: [String]
    package let deviceRequirement: String
    package let exampleMediaKey: String?
    package let rewardCents: Int
    package let targetSubmissions: Int
    package let budgetCents: Int
    package let fundedCents: Int
    package let approvedCount: Int
    package let status: Status
    /// Where the buyer pays; nil without Stripe, and until Stripe has answered.
    package var fundingURL: String?
    package let createdAt: Timestamp
    package let updatedAt: Timestamp

    package init(
        id: ID,
        tenant: Tenant.ID,
        mode: KeyMode,
        title: String,
        instructions: String,
        modalities: [String],
        deviceRequirement: String,
        exampleMediaKey: String?,
        rewardCents: Int,
        targetSubmissions: Int,
        budgetCents: Int,
        fundedCents: Int,
        approvedCount: Int,
        status: Status,
        fundingURL: String?,
        createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        self.id = id
        self.tenant = tenant
        self.mode = mode
        self.title = title
        self.instructions = instructions
        self.modalities = modalities
        self.deviceRequirement = deviceRequirement
        self.exampleMediaKey = exampleMediaKey
        self.rewardCents = rewardCents
        self.targetSubmissions = targetSubmissions
        self.budgetCents = budgetCents
        self.fundedCents = fundedCents
        self.approvedCount = approvedCount
        self.status = status
        self.fundingURL = fundingURL
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// A new identifier: `tsk_` and a ULID.
    package static func newID() -> ID { ID("tsk_" + ULID.make()) }
}

extension CollectionTask {
    /// What a task may say and cost. Lengths are counted in Unicode code points.
    package enum Limits {
        package static let title = 3...120
        package static let instructions = 10...5000
        package static let rewardCents = 50...50_000
        package static let targetSubmissions = 1...10_000
        package static let exampleMediaKey = 1...512
        /// Stripe's largest amount in US cents (decision D-75).
        package static let budgetCents = 99_999_999
        package static let modalities: Set = ["video"]
    }
}
