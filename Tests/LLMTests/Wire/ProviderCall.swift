import AsyncHTTPClient
import Domain
import LLM
import TestSupport
import Testing

/// One call of a provider to a scripted server, over a client of its own.
struct ProviderCall: Sendable {
    typealias Make = @Sendable (FakeModelServer, ModelLimits, HTTPClient) throws -> any LanguageModel

    /// No fault may ever name it.
    let key: String
    let request: ModelRequest
    let make: Make

    func callAsFunction(
        _ server: FakeModelServer,
        request: ModelRequest? = nil,
        limits: ModelLimits = ModelLimits(),
        onText: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Result<ModelReply, ModelFault> {
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: limits.clientConfiguration)
        let result: Result<ModelReply, ModelFault>
        do {
            let provider = try make(server, limits, client)
            result = .success(try await provider.complete(request ?? self.request, onText: onText))
        } catch let fault as ModelFault {
            result = .failure(fault)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
        return result
    }

    /// What the call fails with; nil where it does not.
    func fault(of reply: FakeModelReply, limits: ModelLimits = ModelLimits()) async throws -> ModelFault? {
        try await FakeModelServer.with(reply) { server in
            let result = try await self(server, limits: limits)
            #expect(server.requestCount == 1, "retrying is the queue's work")
            guard case .failure(let fault) = result else { return nil }
            #expect(!"\(fault)".contains(key))
            return fault
        }
    }
}
