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

    /// Crew steps of one tenant that run at once (contract 5.1).
    package var crewCap: Int {
        switch self {
        case .starter: 1
        case .professional: 3
        case .enterprise: 10
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
    package let tenant: Tenant.ID
    package let user: User.ID
    /// The API key, where one was used. Rate limits count by it.
    package let key: String?
    package let scopes: Set<Scope>
    package let mode: KeyMode

    package init(tenant: Tenant.ID, user: User.ID, key: String?, scopes: Set<Scope>, mode: KeyMode) {
        self.tenant = tenant
        self.user = user
        self.key = key
        self.scopes = scopes
        self.mode = mode
    }

    package var mayRead: Bool { scopes.contains(.readOnly) || scopes.contains(.readWrite) }
    package var mayWrite: Bool { scopes.contains(.readWrite) }
}
