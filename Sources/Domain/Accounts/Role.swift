/// What a member may do in a tenant: each role includes those below it (contract X-4). The strings are stored.
package enum Role: String, Sendable, CaseIterable, Comparable {
    case viewer, member, admin, owner

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .member: 1
        case .admin: 2
        case .owner: 3
        }
    }

    /// What the role allows on routes that ask for a key's scope.
    package var scopes: Set<Scope> { self == .viewer ? [.readOnly] : [.readWrite] }
}
