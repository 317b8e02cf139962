/// How often a caller may come: `count` times in any `seconds`.
package struct RateLimit: Sendable, Hashable {
    package let count: Int
    package let seconds: Int

    package init(count: Int, seconds: Int) {
        self.count = count
        self.seconds = seconds
    }

    /// `120/60`: a count from 1 to 1,000,000, and seconds from 1 to 86,400. Nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let count = parts[0], let seconds = parts[1], (1...1_000_000).contains(count),
            (1...86_400).contains(seconds)
        else { return nil }
        self.init(count: count, seconds: seconds)
    }
}

/// Which of a caller's limits a route counts against (contract X-7).
package enum RateTier: String, Sendable, CaseIterable {
    /// Starting a crew.
    case engine
    /// Everything that writes.
    case api
    /// Everything that reads.
    case read
    /// `/api/v1/…`, per API key.
    case collection
    /// `/api/v1/agent/…`, per agent.
    case agent
    /// Logins and failed credentials, per address.
    case auth
    /// URLs that may not be asked for, per tenant: see ``DenialThrottle``.
    case denied
    /// Never refused, for probes.
    case unlimited

    package static let limited = allCases.filter { $0 != .unlimited }

    /// The limit where no setting says otherwise.
    package var usual: RateLimit {
        switch self {
        case .engine: RateLimit(count: 5, seconds: 60)
        case .api: RateLimit(count: 60, seconds: 60)
        case .read, .unlimited: RateLimit(count: 300, seconds: 60)
        case .collection, .agent: RateLimit(count: 120, seconds: 60)
        case .auth: RateLimit(count: 10, seconds: 60)
        case .denied: RateLimit(count: 20, seconds: 3600)
        }
    }

    /// The setting that changes it: `GC_RATE_ENGINE=1000/60`.
    package var setting: String { "GC_RATE_\(rawValue.uppercased())" }
}
