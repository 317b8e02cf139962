import ArgumentParser
import Domain
import Queue

struct ProviderRates: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rates",
        abstract:
            "What is left of the providers' rates, as far as the price file sets any. KEY names a key, it is not one."
    )

    @OptionGroup var view: ViewOptions

    func run() async throws {
        try await view.show { fleet in
            let views = try await fleet.queue.rates.list()
            guard !view.json else { return JSON.array(views.map(\.json)).text }
            return Self.table(views) ?? "No rate was used within a week. `rates` in GC_PRICES_FILE sets some."
        }
    }

    /// For the list of providers; nil where there are none, or Redis is away.
    static func text(_ fleet: Fleet) async -> String? {
        guard let views = try? await fleet.queue.rates.list() else { return nil }
        return table(views)
    }

    private static func table(_ views: [RateBucketView]) -> String? {
        guard !views.isEmpty else { return nil }
        func number(_ value: Int?) -> String { value.map { "\($0)" } ?? "-" }
        let rows = views.map { view in
            view.names + [
                number(view.bucket.requests), number(view.requestsLeft), number(view.bucket.tokens),
                number(view.tokensLeft),
            ]
        }
        let header = ["PROVIDER", "KEY", "MODELS", "CALLS/MIN", "NOW", "TOKENS/MIN", "NOW"]
        return Terminal.table(header, rows, right: [3, 4, 5, 6])
    }
}

extension RateBucketView {
    /// Provider, key and group.
    fileprivate var names: [String] {
        let parts = bucket.name.split(separator: ":", maxSplits: 2).map(String.init)
        return parts + [String](repeating: "", count: max(0, 3 - parts.count))
    }

    fileprivate var json: JSON {
        let names = names
        func number(_ value: Int?) -> JSON { value.map(JSON.integer) ?? .null }
        return [
            "provider": .string(names[0]), "key": .string(names[1]), "models": .string(names[2]),
            "requests_per_minute": number(bucket.requests), "requests_left": number(requestsLeft),
            "tokens_per_minute": number(bucket.tokens), "tokens_left": number(tokensLeft),
        ]
    }
}
