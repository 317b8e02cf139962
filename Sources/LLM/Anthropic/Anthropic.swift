package import AsyncHTTPClient
package import Domain
import NIOCore
import NIOHTTP1

/// Anthropic's Messages API (Anthropic API reference, "Create a Message" and "Streaming messages").
package struct Anthropic: LanguageModel {
    package let id: String

    private let client: HTTPClient
    private let limits: ModelLimits
    private let words: ProviderWords
    /// Address and headers, parsed once.
    private let blank: HTTPClient.Request

    /// The version of the API that is spoken here; a required header.
    private static let version = "2023-06-01"

    /// - Parameters:
    ///   - configuration: address, key and limits.
    ///   - client: the shared one, made with ``ModelLimits/clientConfiguration``; it is not shut down here.
    ///   - id: the provider's name in prices and routes.
    /// - Throws: what is wrong with the address or the key, without either.
    package init(
        _ configuration: AnthropicConfiguration,
        client: HTTPClient,
        id: String = "anthropic"
    ) throws(ModelConfigurationFault) {
        self.id = id
        self.client = client
        limits = configuration.limits
        words = ProviderWords(redaction: Redaction(secret: configuration.apiKey), addressSetting: "ANTHROPIC_BASE_URL")
        blank = try Self.blank(configuration)
    }

    private static func blank(
        _ configuration: AnthropicConfiguration
    ) throws(ModelConfigurationFault) -> HTTPClient.Request {
        var headers: HTTPHeaders = ["anthropic-version": version]
        if let key = try ModelEndpoint.key(configuration.apiKey, setting: "ANTHROPIC_API_KEY") {
            headers.add(name: "x-api-key", value: key)
        }
        var base = configuration.baseURL
        while base.hasSuffix("/") { base.removeLast() }
        // Both forms are about: the vendor's libraries want the address without the version, most gateways name it with it.
        if base.hasSuffix("/v1") { base.removeLast(3) }
        return try ModelEndpoint.post(
            to: "/v1/messages",
            of: base,
            headers: headers,
            setting: "ANTHROPIC_BASE_URL",
            example: AnthropicConfiguration.defaultBaseURL
        )
    }

    package func complete(
        _ request: ModelRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws(ModelFault) -> ModelReply {
        guard !Task.isCancelled else { throw .cancelled(partialOutputBytes: 0) }
        var call = blank
        call.body = .byteBuffer(AnthropicRequestBody.bytes(of: request))
        let exchange = ModelExchange<AnthropicAnswer>(request: request, limits: limits, words: words, onText: onText)
        return try await exchange.run(call, on: client)
    }
}
