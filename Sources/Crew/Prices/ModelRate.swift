/// What a provider allows a key in a minute, for all of its models or for a group of them that it counts together.
package struct ModelRate: Sendable, Hashable {
    package let provider: String
    /// What the operator calls the group; it names the bucket.
    package let group: String
    /// Empty for every model of the provider that is in no other group.
    package let models: Set<String>
    /// Requests a minute; nil is any number.
    package let requests: Int?
    /// Tokens of prompts and answers a minute; nil is any number.
    package let tokens: Int?

    package init(provider: String, group: String = "all", models: Set<String> = [], requests: Int?, tokens: Int?) {
        self.provider = provider
        self.group = group
        self.models = models
        self.requests = requests
        self.tokens = tokens
    }
}

/// Every rate that the operator has set. Without one nothing is counted.
package struct RateTable: Sendable {
    private let rates: [String: [ModelRate]]

    /// - Parameter rates: no two for one model of a provider; where there are, the first one holds.
    package init(_ rates: [ModelRate] = []) {
        self.rates = Dictionary(grouping: rates, by: \.provider)
    }

    /// The rate that a call counts towards; nil where there is none. A dated name counts as the plain one.
    package func rate(of model: String, provider: String) -> ModelRate? {
        guard let rates = rates[provider] else { return nil }
        let names = [model] + [PriceTable.undated(model)].compactMap { $0 }
        return rates.first { !$0.models.isDisjoint(with: names) } ?? rates.first { $0.models.isEmpty }
    }
}
