import Crew
import Domain
import PostgresClient
import Stores

/// What a step may quote of the engagement's files: those of the generation that its run started with (decision D-49).
struct StepContext: Sendable {
    static let none = StepContext(manifest: [], chunks: [])

    /// One line for each file, for the part of the prompt that all tasks share.
    let manifest: [String]
    /// Best first.
    let chunks: [ModelMaterial.Source]

    /// Files that the manifest names; the rest is counted.
    private static let mostFiles = 60
    /// Passages that are looked up; the prompt's budget takes as many of them as fit.
    private static let mostChunks = 32

    /// Same generation, same task: same passages in the same order.
    static func of(_ planned: PlannedTask, _ input: StepInput, _ store: ContextStore) async throws -> StepContext {
        guard let generation = input.contextGeneration else { return none }
        let (files, count) = try await store.files(of: input.engagement, generation: generation, limit: mostFiles)
        guard count > 0 else { return none }
        let task = [planned.title, planned.description, planned.expectedOutput ?? ""].joined(separator: "\n")
        let query = ContextQuery(task, background: input.name + "\n" + input.brief)
        let hits = try await store.search(query, in: input.engagement, generation: generation, limit: mostChunks)
        let more = count > files.count ? ["and \(count - files.count) more"] : []
        return StepContext(
            manifest: files.map(line) + more,
            chunks: hits.map { hit in
                ModelMaterial.Source(kind: .attachment, label: hit.citation, name: hit.filename, text: hit.text)
            }
        )
    }

    private static func line(_ file: ContextFile) -> String {
        let name = ChunkPlace.label(file.filename, limit: 255)
        let size = file.chunks == 0 ? "no text" : "\(file.chunks) \(file.chunks == 1 ? "passage" : "passages")"
        let summary = file.summary.map { ": " + ChunkPlace.label($0, limit: 200) } ?? ""
        return "- [\(name)] \(file.category), \(size)\(summary)"
    }

    /// What a finished document cites, held against what its writer was given; nil where it was given nothing.
    func citations(in document: String) -> CitationCheck? {
        chunks.isEmpty ? nil : CitationCheck(document, given: chunks.map(\.label))
    }
}
