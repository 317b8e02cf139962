/// A model's answer.
package struct ModelReply: Sendable, Hashable {
    /// Why the text ends.
    package enum Finish: String, Sendable, Codable {
        /// The model was done.
        case stop
        /// The limit on output was reached; the text may be continued.
        case length
        /// The provider withheld the rest.
        case filter
    }

    package var text: String
    package var finish: Finish
    /// nil where the provider did not say; then it is estimated from bytes.
    package var usage: ModelUsage?
    /// The model that answered, as the provider names it.
    package var model: String
    /// What the provider says the call cost; nil where only tokens are known.
    package var billed: NanoUSD?
    /// The provider's own name for the call, for a complaint.
    package var requestID: String?
    /// What the provider says may still be asked of it; nil where it does not say.
    package var allowance: ModelAllowance?
    /// How long before the end of the answer the provider said so.
    package var allowanceAge = Duration.zero

    package init(
        text: String,
        finish: Finish,
        usage: ModelUsage?,
        model: String,
        billed: NanoUSD? = nil,
        requestID: String? = nil,
        allowance: ModelAllowance? = nil
    ) {
        self.text = text
        self.finish = finish
        self.usage = usage
        self.model = model
        self.billed = billed
        self.requestID = requestID
        self.allowance = allowance
    }
}

/// What is left of a key's rates, by the provider's own word.
package struct ModelAllowance: Sendable, Hashable {
    package var requests: Int?
    package var tokens: Int?

    package init(requests: Int? = nil, tokens: Int? = nil) {
        self.requests = requests
        self.tokens = tokens
    }
}

/// Tokens of one call, the same for every provider (engine 3.4).
package struct ModelUsage: Sendable, Hashable, Codable {
    /// Input at the full price.
    package var uncachedInput: Int
    /// Input read from the provider's cache.
    package var cacheRead: Int
    /// Input written to the provider's cache.
    package var cacheWrite: Int
    /// Output, reasoning included.
    package var output: Int
    /// The part of the output that was reasoning.
    package var reasoning: Int

    package init(uncachedInput: Int, cacheRead: Int = 0, cacheWrite: Int = 0, output: Int, reasoning: Int = 0) {
        self.uncachedInput = uncachedInput
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.output = output
        self.reasoning = reasoning
    }

    package static let zero = ModelUsage(uncachedInput: 0, output: 0)

    package var input: Int { uncachedInput + cacheRead + cacheWrite }

    package static func + (left: Self, right: Self) -> Self {
        Self(
            uncachedInput: left.uncachedInput + right.uncachedInput,
            cacheRead: left.cacheRead + right.cacheRead,
            cacheWrite: left.cacheWrite + right.cacheWrite,
            output: left.output + right.output,
            reasoning: left.reasoning + right.reasoning
        )
    }
}
