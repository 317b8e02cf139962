package import Domain

/// The embedded default: needs no key and no network, costs nothing, and never invents a sentence.
///
/// Every sentence of its documents is copied verbatim from a source, with its citation, or is a fixed one that only counts
/// or names things. The same request gives the same bytes (engine 3.7).
package struct OfflineExtractive: LanguageModel {
    package let id = "offline"

    package init() {}

    package func complete(
        _ request: ModelRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws(ModelFault) -> ModelReply {
        let text = OfflineDocument(request.material).text
        guard !Task.isCancelled else { throw .cancelled(partialOutputBytes: 0) }
        onText(text)
        return ModelReply(text: text, finish: .stop, usage: .zero, model: "offline-extractive-1")
    }
}
