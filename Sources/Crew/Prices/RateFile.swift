import Domain
package import FoundationEssentials

extension RateTable {
    /// Reads the rates of an operator's price file: `{"rates": [{"provider", "rpm", "tpm", "group", "models"}]}`, requests
    /// and tokens a minute. `group` and `models` are for models that the provider counts apart.
    ///
    /// - Throws: what is wrong, and in which row.
    package init(file data: Data) throws(PriceFileFault) {
        guard let json = try? JSON(parsing: data) else {
            throw PriceFileFault(description: "price file: not JSON; expected {\"rates\": [...]}")
        }
        guard let rates = json["rates"] else {
            self.init()
            return
        }
        guard let items = rates.arrayValue else {
            throw PriceFileFault(description: "price file: \"rates\" must be an array of rates")
        }
        var rows: [ModelRate] = []
        for (index, item) in items.enumerated() {
            let row = try RateRow(item, at: index).rate()
            try Self.check(row, against: rows, at: index)
            rows.append(row)
        }
        self.init(rows)
    }

    /// A call must know which buckets it takes from.
    private static func check(_ row: ModelRate, against rows: [ModelRate], at index: Int) throws(PriceFileFault) {
        for other in rows where other.provider == row.provider {
            let isTwice = other.group == row.group || other.models.isEmpty && row.models.isEmpty
            if isTwice || !other.models.isDisjoint(with: row.models) {
                throw PriceFileFault(
                    description:
                        "price file: rates[\(index)]: \(row.provider) has another rate for the same models or group"
                )
            }
        }
    }
}

/// One rate of a price file.
private struct RateRow {
    let item: JSON
    let place: String

    init(_ item: JSON, at index: Int) {
        self.item = item
        place = "price file: rates[\(index)]"
    }

    func rate() throws(PriceFileFault) -> ModelRate {
        let (requests, tokens) = (try number("rpm", 1_000_000), try number("tpm", 1_000_000_000))
        guard requests != nil || tokens != nil else { throw fault("", "must have \"rpm\", \"tpm\" or both") }
        let models = try models()
        return ModelRate(
            provider: try provider(),
            group: try group(isNeeded: !models.isEmpty),
            models: models,
            requests: requests,
            tokens: tokens
        )
    }

    private func fault(_ key: String, _ words: String) -> PriceFileFault {
        PriceFileFault(description: "\(place)\(key.isEmpty ? "" : "." + key): \(words)")
    }

    private func number(_ key: String, _ most: Int) throws(PriceFileFault) -> Int? {
        guard let value = item[key] else { return nil }
        guard let number = value.intValue, (1...most).contains(number) else {
            throw fault(key, "must be a whole number a minute, from 1 to \(most)")
        }
        return number
    }

    private func provider() throws(PriceFileFault) -> String {
        guard let word = item["provider"]?.stringValue, [ModelProvider.openAI, ModelProvider.anthropic].contains(word)
        else { throw fault("provider", "must be openai or anthropic") }
        return word
    }

    private func models() throws(PriceFileFault) -> Set<String> {
        guard let value = item["models"] else { return [] }
        let names = value.arrayValue?.compactMap(\.stringValue).filter { !$0.isEmpty } ?? []
        guard !names.isEmpty, names.count == value.arrayValue?.count else {
            throw fault("models", "must be an array of names; leave it out for all models")
        }
        return Set(names)
    }

    /// It is part of a key in Redis.
    private func group(isNeeded: Bool) throws(PriceFileFault) -> String {
        guard let value = item["group"] else {
            if isNeeded { throw fault("group", "must name the models' group") }
            return "all"
        }
        guard let word = value.stringValue, (1...64).contains(word.utf8.count),
            word.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E
            })
        else { throw fault("group", "must be 1 to 64 of a to z, 0 to 9, \"-\" and \".\"") }
        return word
    }
}
