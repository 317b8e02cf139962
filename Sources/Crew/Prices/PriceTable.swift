package import Domain

/// Every model's price. A model that is not in the table is charged at the dearest price known, or nothing where the
/// operator says that it is free: a server of one's own has models nobody has priced.
package struct PriceTable: Sendable {
    private let rows: [String: ModelPrice]
    private let dearest: ModelPrice
    package let unpricedIsFree: Bool

    /// - Parameters:
    ///   - prices: one row for each provider and model; a later row replaces an earlier one.
    ///   - unpricedIsFree: whether models without a row cost nothing.
    package init(_ prices: [ModelPrice] = PriceTable.defaults, unpricedIsFree: Bool = false) {
        rows = Dictionary(prices.map { (Self.key($0.provider, $0.model), $0) }, uniquingKeysWith: { _, last in last })
        dearest = prices.max { ($0.weight, $0.model) < ($1.weight, $1.model) } ?? Self.free("", "")
        self.unpricedIsFree = unpricedIsFree
    }

    /// The price of a model; never nil. A dated name (`gpt-4.1-mini-2025-04-14`) has the price of the plain one.
    package func price(of model: String, provider: String) -> ModelPrice {
        if let row = row(model, provider) { return row }
        if Self.isBuiltIn(provider) || unpricedIsFree { return Self.free(model, provider) }
        var price = dearest
        price.model = model
        price.provider = provider
        price.context = Self.unknownContext
        price.maxOutput = Self.unknownContext / 2
        return price
    }

    /// Whether the table has a row for the model.
    package func knows(_ model: String, provider: String) -> Bool {
        Self.isBuiltIn(provider) || row(model, provider) != nil
    }

    /// The provider that offers a model, the first by name where several do; nil where none is known.
    package func provider(of model: String) -> String? {
        let plain = Self.undated(model)
        return rows.values.filter { $0.model == model || $0.model == plain }.map(\.provider).min()
            ?? ModelProvider.maker(of: model)
    }

    /// What must be set aside before the call, so that it cannot overspend (engine 3.4, design O-4).
    package func reservation(for request: ModelRequest, provider: String) -> NanoUSD {
        if let simulation = request.simulation { return simulation.cost }
        let price = price(of: request.model, provider: provider)
        return price.worst(promptTokens: TokenBound.prompt(request), maxOutput: request.maxOutput)
    }

    /// What a call costs once it has been answered.
    package func charge(for reply: ModelReply, to request: ModelRequest, provider: String) -> ModelCharge {
        let usage = reply.usage ?? Self.estimate(request, outputBytes: reply.text.utf8.count)
        let cost = reply.billed ?? price(of: request.model, provider: provider).cost(of: usage)
        return ModelCharge(cost: cost, usage: usage, isEstimated: reply.usage == nil)
    }

    /// What a call costs that was cut off by its caller: the prompt, and the output received until then.
    package func charge(
        forCancelled request: ModelRequest,
        partialOutputBytes: Int,
        provider: String
    ) -> ModelCharge {
        let usage = Self.estimate(request, outputBytes: partialOutputBytes)
        let cost = price(of: request.model, provider: provider).cost(of: usage)
        return ModelCharge(cost: request.simulation == nil ? cost : .zero, usage: usage, isEstimated: true)
    }

    private static func estimate(_ request: ModelRequest, outputBytes: Int) -> ModelUsage {
        ModelUsage(uncachedInput: TokenBound.typical(request), output: TokenBound.typical(bytes: outputBytes))
    }

    // MARK: Rows

    private static let unknownContext = 8_192

    private func row(_ model: String, _ provider: String) -> ModelPrice? {
        rows[Self.key(provider, model)] ?? Self.undated(model).flatMap { rows[Self.key(provider, $0)] }
    }

    private static func key(_ provider: String, _ model: String) -> String { "\(provider)\u{0}\(model)" }

    private static func isBuiltIn(_ provider: String) -> Bool {
        provider == ModelProvider.offline || provider == ModelProvider.simulated
    }

    private static func free(_ model: String, _ provider: String) -> ModelPrice {
        let isBuiltIn = isBuiltIn(provider)
        return ModelPrice(
            model: model,
            provider: provider,
            input: 0,
            cached: 0,
            output: 0,
            context: isBuiltIn ? 1_000_000_000 : unknownContext,
            maxOutput: isBuiltIn ? 1_000_000 : unknownContext / 2
        )
    }

    /// `name-2025-04-14` or `name-20250414` without the date; nil where there is none.
    static func undated(_ model: String) -> String? {
        for shape in ["-0000-00-00", "-00000000"] where model.utf8.count > shape.utf8.count {
            let isDate = zip(model.utf8.suffix(shape.utf8.count), shape.utf8).allSatisfy { byte, shape in
                shape == UInt8(ascii: "-") ? byte == shape : (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
            if isDate { return String(model.dropLast(shape.utf8.count)) }
        }
        return nil
    }
}

/// What a call cost, and how that is known.
package struct ModelCharge: Sendable, Hashable {
    package let cost: NanoUSD
    package let usage: ModelUsage
    /// The provider told no usage: tokens were told from bytes.
    package let isEstimated: Bool
}
