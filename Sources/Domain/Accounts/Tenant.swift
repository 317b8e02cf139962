/// Who owns rows: every query names one.
package struct Tenant: Sendable {
    package typealias ID = Domain.ID<Tenant>
}

/// A person, or a program that acts as one.
package struct User: Sendable {
    package typealias ID = Domain.ID<User>
}

/// What a tenant pays for. The strings are stored.
package enum Plan: String, Sendable, CaseIterable {
    case starter, professional, enterprise

    /// Engagements that may be created in a calendar month (UTC); nil is no limit (contract E-10).
    package var engagementsPerMonth: Int? {
        switch self {
        case .starter: 5
        case .professional: 25
        case .enterprise: nil
        }
    }

    /// Bytes that one file may have (contract A-9).
    package var maxFileBytes: Int {
        switch self {
        case .starter: 10 << 20
        case .professional: 50 << 20
        case .enterprise: 100 << 20
        }
    }

    /// Bytes that all of a tenant's files may have together (contract A-9).
    package var maxTotalBytes: Int {
        switch self {
        case .starter: 100 << 20
        case .professional: 500 << 20
        case .enterprise: 2 << 30
        }
    }
}

/// What an API key may do. The strings are stored.
package enum Scope: String, Sendable, CaseIterable {
    case readOnly = "read_only"
    case readWrite = "read_write"
    case tasksRead = "tasks:read"
    case tasksWrite = "tasks:write"
    case webhooksWrite = "webhooks:write"
}

/// Live or test: it splits the data-collection family only (decision D-6b).
package enum KeyMode: String, Sendable, CaseIterable {
    case live, test
}

/// Who is asking, once the credential was checked.
package struct Caller: Sendable {
    /// Empty, and so no row's, for a contributor who belongs to none.
    package let tenant: Tenant.ID
    package let user: User.ID
    /// The API key, where one was used. Rate limits count by it.
    package let key: String?
    package let scopes: Set<Scope>
    package let mode: KeyMode

    /// The member's role, where a session was used; nil for an API key.
    package let role: Role?
    /// The one engagement that the key is for; nil is all of the tenant's.
    package let engagement: Engagement.ID?
    /// Somebody with a session who works on collection tasks (decision D-65).
    package let isContributor: Bool

    package init(
        tenant: Tenant.ID,
        user: User.ID,
        key: String?,
        scopes: Set<Scope>,
        mode: KeyMode,
        role: Role? = nil,
        engagement: Engagement.ID? = nil,
        isContributor: Bool = false
    ) {
        self.isContributor = isContributor
        self.role = role
        self.engagement = engagement
        self.tenant = tenant
        self.user = user
        self.key = key
        self.scopes = scopes
        self.mode = mode
    }

    /// Whom rate limits and idempotency keys are counted by: the API key, else the user (contract X-7).
    package var principal: String { key ?? user.rawValue }

    package var mayRead: Bool { scopes.contains(.readOnly) || scopes.contains(.readWrite) }
    package var mayWrite: Bool { scopes.contains(.readWrite) }
}
