package import AsyncHTTPClient
package import Domain
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Any server that speaks OpenAI's chat completions: OpenAI, vLLM, llama.cpp, Ollama, LiteLLM.
///
/// A call costs one request, one timer and one resumption: events are read on the connection's own event loop.
package struct OpenAICompatible: LanguageModel {
    package let id: String

    private let client: HTTPClient
    private let limits: ModelLimits
    private let redaction: Redaction
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
    ) throws(OpenAIConfigurationFault) {
        self.id = id
        self.client = client
        limits = configuration.limits
        redaction = Redaction(secret: configuration.apiKey)
        blank = try Self.blank(configuration)
    }

    private static func blank(
        _ configuration: OpenAIConfiguration
    ) throws(OpenAIConfigurationFault) -> HTTPClient.Request {
        var base = configuration.baseURL
        while base.hasSuffix("/") { base.removeLast() }
        var headers: HTTPHeaders = ["Content-Type": "application/json", "Accept": "text/event-stream"]
        if let key = configuration.apiKey, !key.isEmpty {
            guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw OpenAIConfigurationFault(
                    description: "OPENAI_API_KEY: has spaces or characters a header cannot carry; check the value"
                )
            }
            headers.add(name: "Authorization", value: "Bearer \(key)")
        }
        guard let request = try? HTTPClient.Request(url: base + "/chat/completions", method: .POST, headers: headers),
            request.url.user == nil, request.url.password == nil, request.url.query == nil
        else {
            throw OpenAIConfigurationFault(
                description: """
                    OPENAI_BASE_URL: must be an address such as \(OpenAIConfiguration.defaultBaseURL), without user, \
                    password or query; give the key in OPENAI_API_KEY
                    """
            )
        }
        return request
    }

    package func complete(
        _ request: ModelRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws(ModelFault) -> ModelReply {
        guard !Task.isCancelled else { throw .cancelled(partialOutputBytes: 0) }
        var call = blank
        call.body = .byteBuffer(OpenAIRequestBody.bytes(of: request))
        let exchange = OpenAIExchange(request: request, limits: limits, redaction: redaction, onText: onText)
        let task = client.execute(request: call, delegate: exchange, eventLoop: .indifferent, deadline: nil)
        do {
            return try await withTaskCancellationHandler {
                try await task.get()
            } onCancel: {
                // Closes the connection: the provider stops writing, and stops charging.
                task.cancel()
            }
        } catch {
            return try exchange.outcome(of: error)
        }
    }
}
