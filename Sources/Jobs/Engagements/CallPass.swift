import Crew
import Domain
import Queue

/// Leave to make one call. Whoever has one makes the call with ``through(_:)``, or says that there was none.
struct CallPass: Sendable {
    /// Wants to hear of the answer's text.
    let heard: @Sendable (String) -> Void
    /// What was taken from the provider's rate; nil where it has none.
    private let toll: RateToll?
    private let rates: RateBuckets

    init(_ toll: RateToll?, _ rates: RateBuckets, heard: @escaping @Sendable (String) -> Void = { _ in }) {
        self.heard = heard
        self.toll = toll
        self.rates = rates
    }

    /// The provider, which from now on gives back what the call did not need of its rate.
    func through(_ provider: any LanguageModel) -> any LanguageModel {
        guard let toll else { return provider }
        return RatedModel(provider: provider, toll: toll, rates: rates)
    }

    /// The call was not made after all.
    func unused() {
        guard let toll else { return }
        rates.giveBack(toll, requests: toll.requests, tokens: toll.tokens)
    }
}

/// A provider for one call that was paid for from its rate.
private struct RatedModel: LanguageModel {
    let provider: any LanguageModel
    let toll: RateToll
    let rates: RateBuckets

    var id: String { provider.id }

    func complete(
        _ request: ModelRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws(ModelFault) -> ModelReply {
        do {
            let reply = try await provider.complete(request, onText: onText)
            settle(reply, request)
            return reply
        } catch {
            rates.giveBack(toll, tokens: toll.tokens - Self.tokens(of: error, request, toll))
            throw error
        }
    }

    private func settle(_ reply: ModelReply, _ request: ModelRequest) {
        let output = TokenBound.typical(bytes: reply.text.utf8.count)
        let used = reply.usage.map { $0.input + $0.output } ?? TokenBound.typical(request) + output
        rates.giveBack(
            toll,
            tokens: toll.tokens - used,
            requestsLeft: reply.allowance?.requests,
            tokensLeft: reply.allowance?.tokens,
            saidBefore: reply.allowanceAge
        )
    }

    /// What a failed call took: all where nobody knows.
    private static func tokens(of fault: ModelFault, _ request: ModelRequest, _ toll: RateToll) -> Int {
        switch fault {
        case .timeout(.firstByte), .timeout(.silence), .timeout(.total), .truncated, .empty, .invalidOutput:
            toll.tokens
        case .cancelled(let bytes):
            min(toll.tokens, TokenBound.typical(request) + TokenBound.typical(bytes: bytes))
        case .timeout(.connect), .network, .rateLimited, .overloaded, .server, .contextTooLong, .refused, .badRequest,
            .auth, .quota:
            0
        }
    }
}
