package import AsyncHTTPClient
package import Domain
import NIOCore
import NIOHTTP1

/// Any server that speaks OpenAI's chat completions: OpenAI, vLLM, llama.cpp, Ollama, LiteLLM.
///
/// A call costs one request, one timer and one resumption: events are read on the connection's own event loop.
package struct OpenAICompatible: LanguageModel {
    package let id: String

    private let client: HTTPClient
    private let limits: ModelLimits
    private let words: ProviderWords
    /// Address and headers, parsed once.
    private let blank: HTTPClient.Request

    /// - Parameters:
    ///   - configuration: address, key and limits.
    ///   - client: the shared one, made with ``ModelLimits/clientConfiguration``; it is not shut down here.
    ///   - id: the provider's name in prices and routes.
    /// - Throws: what is wrong with the address or the key, without either.
    package init(
        _ configuration: OpenAIConfiguration,
        client: HTTPClient,
        id: String = "openai"
    ) throws(ModelConfigurationFault) {
        self.id = id
        self.client = client
        limits = configuration.limits
        words = ProviderWords(redaction: Redaction(secret: configuration.apiKey), addressSetting: "OPENAI_BASE_URL")
        blank = try Self.blank(configuration)
    }

    private static func blank(
        _ configuration: OpenAIConfiguration
    ) throws(ModelConfigurationFault) -> HTTPClient.Request {
        let key = try ModelEndpoint.key(configuration.apiKey, setting: "OPENAI_API_KEY")
        return try ModelEndpoint.post(
            to: "/chat/completions",
            of: configuration.baseURL,
            headers: key.map { ["Authorization": "Bearer \($0)"] } ?? [:],
            setting: "OPENAI_BASE_URL",
            example: OpenAIConfiguration.defaultBaseURL
        )
    }

    package func complete(
        _ request: ModelRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws(ModelFault) -> ModelReply {
        guard !Task.isCancelled else { throw .cancelled(partialOutputBytes: 0) }
        var call = blank
        call.body = .byteBuffer(OpenAIRequestBody.bytes(of: request))
        let exchange = ModelExchange<OpenAIAnswer>(request: request, limits: limits, words: words, onText: onText)
        return try await exchange.run(call, on: client)
    }
}
