import Domain
import NIOHTTP1

/// What a provider says is left of the key's rates.
enum RateHeaders {
    /// `x-ratelimit-remaining-requests` and `-tokens` (OpenAI API reference, "Rate limits"), or
    /// `anthropic-ratelimit-requests-remaining` and `-tokens-remaining` (Anthropic API reference, "Rate limits").
    ///
    /// - Returns: nil where neither is there; what is no whole number is left out.
    static func allowance(in headers: HTTPHeaders) -> ModelAllowance? {
        func number(_ names: String...) -> Int? {
            names.lazy.compactMap { headers.first(name: $0) }.first.flatMap { Int($0) }.map { max(0, $0) }
        }
        let requests = number("x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining")
        let tokens = number("x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining")
        return requests == nil && tokens == nil ? nil : ModelAllowance(requests: requests, tokens: tokens)
    }
}
