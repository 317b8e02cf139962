/// What the fleet knows about a provider's account, as it was when a step read it (engine 3.6).
package struct ProviderMark: Sendable, Hashable {
    /// The strings are stored, and shown.
    package enum State: String, Sendable, Codable {
        /// Some calls in a row have failed; nothing follows from it yet.
        case counting
        /// No calls for a while: a rate limit, or an overload.
        case paused
        /// The breaker is open: one probe at a time.
        case broken
        /// The key was rejected: no calls until it changes.
        case down
    }

    package var provider: String
    package var state: State
    /// Until calls may go out again; zero where that time is over.
    package var left: Duration
    /// Until another probe may go out; zero where none is under way.
    package var probing: Duration
    package var reason: String
    /// Changes with every fault that is noted.
    package var version: Int

    package init(
        provider: String,
        state: State,
        left: Duration = .zero,
        probing: Duration = .zero,
        reason: String = "",
        version: Int = 0
    ) {
        self.provider = provider
        self.state = state
        self.left = left
        self.probing = probing
        self.reason = reason
        self.version = version
    }
}

/// Which providers a step may ask now. Pure.
package struct ProviderHealth: Sendable, Hashable {
    /// What stands between a step and its provider.
    package enum Standing: Sendable, Hashable {
        /// Nothing.
        case free
        /// Calls are held, for so long at least.
        case held(Duration)
        /// The pause is over, but one call must show it first.
        case probe
        case down
    }

    /// A provider that is paused for longer than this is passed over where another is routed.
    package static let shortPause = Duration.seconds(10)
    /// How often those look again who wait for another's probe.
    package static let glance = Duration.seconds(1)

    private let marks: [String: ProviderMark]

    /// - Parameter marks: one for each provider that this process has an account with.
    package init(_ marks: [ProviderMark]) {
        self.marks = Dictionary(marks.map { ($0.provider, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package subscript(provider: String) -> ProviderMark? { marks[provider] }

    /// Providers that reject the key.
    package var down: Set<String> { Set(marks.values.filter { $0.state == .down }.map(\.provider)) }

    /// Those, and the ones that a step does better not to wait for.
    package var avoided: Set<String> {
        Set(
            marks.values.filter { mark in
                switch mark.state {
                case .counting: false
                case .paused: mark.left > Self.shortPause
                // When its time is over one step must come by and try it.
                case .broken: mark.left > .zero || mark.probing > .zero
                case .down: true
                }
            }.map(\.provider)
        )
    }

    package func standing(of provider: String) -> Standing {
        guard let mark = marks[provider] else { return .free }
        switch mark.state {
        case .counting: return .free
        case .down: return .down
        case .paused, .broken:
            if mark.left > .zero { return .held(mark.left) }
            return mark.probing > .zero ? .held(min(mark.probing, Self.glance)) : .probe
        }
    }
}
