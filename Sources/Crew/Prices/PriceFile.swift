import Domain
package import FoundationEssentials

/// Why a price file cannot be used, in words for the operator.
package struct PriceFileFault: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
}

extension PriceTable {
    /// Reads an operator's file: `{"models": [{"model", "provider", "input", "cached", "write", "output", "context",
    /// "maxOutput"}]}`, prices in nano-dollars a token. Its rows replace and extend the shipped ones. ``RateTable`` reads the
    /// rest of it.
    ///
    /// - Parameters:
    ///   - data: the file's bytes.
    ///   - unpricedIsFree: whether models without a row cost nothing.
    /// - Throws: what is wrong, and in which row.
    package init(file data: Data, unpricedIsFree: Bool = false) throws(PriceFileFault) {
        guard let json = try? JSON(parsing: data) else {
            throw PriceFileFault(description: "price file: not JSON; expected {\"models\": [...]}")
        }
        let isRatesAlone = json["models"] == nil && json["rates"] != nil
        guard let items = isRatesAlone ? [] : json["models"]?.arrayValue else {
            throw PriceFileFault(description: "price file: \"models\" must be an array of prices")
        }
        var prices = Self.defaults
        for (index, item) in items.enumerated() { prices.append(try PriceRow(item, at: index).price()) }
        self.init(prices, unpricedIsFree: unpricedIsFree)
    }
}

/// One row of a price file.
private struct PriceRow {
    let item: JSON
    let place: String

    init(_ item: JSON, at index: Int) {
        self.item = item
        place = "price file: models[\(index)]"
    }

    func price() throws(PriceFileFault) -> ModelPrice {
        let input = try nanos("input")
        return ModelPrice(
            model: try word("model"),
            provider: try word("provider"),
            input: input,
            cached: try nanos("cached", otherwise: input),
            write: try nanos("write", otherwise: input),
            output: try nanos("output"),
            context: try tokens("context"),
            maxOutput: try tokens("maxOutput")
        )
    }

    private func word(_ key: String) throws(PriceFileFault) -> String {
        guard let word = item[key]?.stringValue, !word.isEmpty else {
            throw PriceFileFault(description: "\(place).\(key): must be a name")
        }
        return word
    }

    /// A dollar a token is beyond any model, and keeps every product within 64 bits.
    private func nanos(_ key: String, otherwise: Int64? = nil) throws(PriceFileFault) -> Int64 {
        if item[key] == nil, let otherwise { return otherwise }
        guard let value = item[key]?.intValue, (0...1_000_000_000).contains(value) else {
            throw PriceFileFault(
                description: "\(place).\(key): must be whole nano-dollars a token (USD per million tokens × 1,000)"
            )
        }
        return Int64(value)
    }

    private func tokens(_ key: String) throws(PriceFileFault) -> Int {
        guard let value = item[key]?.intValue, (256...100_000_000).contains(value) else {
            throw PriceFileFault(description: "\(place).\(key): must be a number of tokens from 256 to 100000000")
        }
        return value
    }
}
