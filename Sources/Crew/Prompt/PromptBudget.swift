/// How many bytes of a prompt each part may take. Packing happens before the call, never by trial (engine 3.6).
package struct PromptBudget: Sendable, Hashable {
    /// No prompt's material is longer: 24,000 tokens of English.
    package static let ceiling = 96_000
    /// The most a digest of one dependency takes: 1,200 tokens of English.
    package static let digest = 4_800

    /// Bytes of material in all.
    package let total: Int

    /// - Parameters:
    ///   - context: the model's limit on prompt and answer together, in tokens.
    ///   - maxOutput: the answer's limit, in tokens.
    ///   - shrink: how often the provider has said that the prompt is too long; each time halves the material.
    package init(context: Int, maxOutput: Int, shrink: Int = 0) {
        // Two bytes a token is the bound that holds for every text; English stays far below the limit with it.
        let room = max(1_000, min(context, 1_000_000) - maxOutput - 1_000)
        total = min(room * 2, Self.ceiling) >> min(shrink, 4)
    }

    package var brief: Int { total / 4 }
    package var dependencies: Int { total * 35 / 100 }
}
