package import Domain
private import PostgresClient
import Queue
import Stores

/// Brings manifest and searchable text of an engagement up to its files (contract J-3, A-12, A-30).
///
/// Any number of changes before it begins cost one build; a change while it builds brings it back once more. Only files
/// that no earlier generation has read are read.
package struct RebuildContext: Job {
    package static let kind = JobKind.rebuildContext
    package static let policy = JobPolicy(
        queue: .index,
        priority: 4,
        timeout: .seconds(300),
        retry: RetryPolicy(attempts: 5, base: .seconds(2), ceiling: .seconds(300))
    )

    let engagement: Engagement.ID

    package init(engagement: Engagement.ID) {
        self.engagement = engagement
    }

    package static func uniqueKey(_ engagement: Engagement.ID) -> String { "reindex:\(engagement)" }

    /// The job, once: waiting it stands for all, running it is run once more. The pause lets a burst of changes gather.
    static func again(_ engagement: Engagement.ID, tenant: String) throws -> NewJob {
        try NewJob(
            RebuildContext(engagement: engagement),
            tenant: tenant,
            delay: .milliseconds(250),
            uniqueness: Uniqueness(uniqueKey(engagement), scope: .untilDone, onConflict: .coalesce)
        )
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        guard let input = try await context.services.stores.context.rebuildInput(engagement) else {
            return .cancel("the engagement was deleted, or never had files")
        }
        guard input.wanted > input.built else { return .done }
        guard let reader = FileReader(context, engagement, input.tenant) else {
            return .refuse("this worker has nothing that reads files")
        }
        do {
            let texts = try await reader.read(input.attachments)
            try await settle(input, texts, context)
            return .settled
        } catch let error where !(error is Fenced || error is Moot || error is CancellationError) {
            _ = try? await context.queue.postgres.query(ContextLedger.fail(engagement, String(describing: error)))
            throw error
        }
    }

    private func settle(_ input: RebuildInput, _ texts: [StoredText?], _ context: JobContext) async throws {
        let files = zip(input.attachments, texts).map { ContextLedger.FileRow(attachment: $0, text: $1?.id) }
        let manifest = Manifest(engagement: engagement, generation: input.wanted, attachments: input.attachments, texts)
        try await context.settle(
            writing: ContextLedger.store(
                input.wanted,
                of: engagement,
                input.tenant,
                manifest: manifest.json,
                files: files
            )
        )
    }
}

/// What an engagement's files are, for callers and for the crew (decision D-44).
struct Manifest {
    let json: JSON

    init(
        engagement: Engagement.ID,
        generation: Int,
        attachments: [RebuildInput.Attachment],
        _ texts: [StoredText?]
    ) {
        json = [
            "generation": .integer(generation), "engagementId": .string(engagement.rawValue),
            "totalBytes": .integer(attachments.reduce(0) { $0 + $1.size }),
            "attachments": .array(zip(attachments, texts).map(Self.entry)),
        ]
    }

    private static func entry(_ attachment: RebuildInput.Attachment, _ text: StoredText?) -> JSON {
        [
            "id": .string(attachment.id), "filename": .string(attachment.filename),
            "mimeType": .string(attachment.mimeType), "sizeBytes": .integer(attachment.size),
            "sha256": .string(attachment.sha256), "category": .string(attachment.category),
            "summary": attachment.summary.map(JSON.string) ?? .null,
            "sourceUrl": attachment.sourceURL.map(JSON.string) ?? .null,
            // A file that could not be had, or that no program here can read, is tried again at the next rebuild.
            "textStatus": .string(text?.status ?? "unread"), "chunks": .integer(text?.chunks ?? 0),
        ]
    }
}
