package import Domain

/// What one model costs and takes. Money is whole nano-dollars a token: 1 USD per million tokens is 1,000.
package struct ModelPrice: Sendable, Hashable, Codable {
    package var model: String
    package var provider: String
    /// A token of input at the full price.
    package var input: Int64
    /// A token of input read from the provider's cache.
    package var cached: Int64
    /// A token of input written to the provider's cache; the price of input where writing costs nothing extra.
    package var write: Int64
    /// A token of output, reasoning included.
    package var output: Int64
    /// Tokens of prompt and answer together.
    package var context: Int
    /// Tokens of answer.
    package var maxOutput: Int

    package init(
        model: String,
        provider: String,
        input: Int64,
        cached: Int64,
        write: Int64? = nil,
        output: Int64,
        context: Int,
        maxOutput: Int
    ) {
        self.model = model
        self.provider = provider
        self.input = input
        self.cached = cached
        self.write = write ?? input
        self.output = output
        self.context = context
        self.maxOutput = maxOutput
    }

    /// What a call took.
    package func cost(of usage: ModelUsage) -> NanoUSD {
        NanoUSD(
            nanos: Int64(usage.uncachedInput) * input + Int64(usage.cacheRead) * cached
                + Int64(usage.cacheWrite) * write + Int64(usage.output) * output
        )
    }

    /// What a call can take at most.
    ///
    /// - Parameters:
    ///   - promptTokens: a bound on the prompt's tokens.
    ///   - maxOutput: the limit on output that the call sends.
    /// - Returns: the bound that must be set aside.
    package func worst(promptTokens: Int, maxOutput: Int) -> NanoUSD {
        NanoUSD(nanos: Int64(promptTokens) * max(input, cached, write) + Int64(maxOutput) * output)
    }

    /// How dear the model is, for comparing: input and output in the mix documents have.
    var weight: Int64 { input * 3 + output }
}

/// Tokens, told from bytes: there is no tokenizer on board (engine 3.4).
package enum TokenBound {
    /// A byte-level tokenizer cannot make more tokens than bytes, and real text stays above 2 bytes a token.
    package static func prompt(_ request: ModelRequest) -> Int {
        request.messages.reduce(schemaBytes(request) / 2 + 16) { $0 + ($1.text.utf8.count + 1) / 2 + 16 }
    }

    /// What is likely: English has about 4 bytes a token.
    package static func typical(_ request: ModelRequest) -> Int {
        request.messages.reduce(schemaBytes(request) / 4) { $0 + typical(bytes: $1.text.utf8.count) + 4 }
    }

    package static func typical(bytes: Int) -> Int { (bytes + 3) / 4 }

    private static func schemaBytes(_ request: ModelRequest) -> Int {
        request.schema.map { $0.schema.text.utf8.count + $0.name.utf8.count } ?? 0
    }
}
