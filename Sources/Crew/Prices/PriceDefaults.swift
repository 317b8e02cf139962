extension PriceTable {
    /// What the table ships with, checked by nobody but the operator: prices change (engine 3.4).
    package static let defaults: [ModelPrice] = [
        openAI("gpt-4.1-nano", 100, 25, 400, context: 1_047_576, maxOutput: 32_768),
        openAI("gpt-4.1-mini", 400, 100, 1_600, context: 1_047_576, maxOutput: 32_768),
        openAI("gpt-4.1", 2_000, 500, 8_000, context: 1_047_576, maxOutput: 32_768),
        openAI("gpt-4o-mini", 150, 75, 600, context: 128_000, maxOutput: 16_384),
        anthropic("claude-haiku-4-5", 1_000, 100, 1_250, 5_000),
        anthropic("claude-sonnet-4-6", 3_000, 300, 3_750, 15_000),
    ]

    private static func openAI(
        _ model: String,
        _ input: Int64,
        _ cached: Int64,
        _ output: Int64,
        context: Int,
        maxOutput: Int
    ) -> ModelPrice {
        ModelPrice(
            model: model,
            provider: ModelProvider.openAI,
            input: input,
            cached: cached,
            output: output,
            context: context,
            maxOutput: maxOutput
        )
    }

    private static func anthropic(
        _ model: String,
        _ input: Int64,
        _ cached: Int64,
        _ write: Int64,
        _ output: Int64
    ) -> ModelPrice {
        ModelPrice(
            model: model,
            provider: ModelProvider.anthropic,
            input: input,
            cached: cached,
            write: write,
            output: output,
            context: 200_000,
            maxOutput: 64_000
        )
    }
}
