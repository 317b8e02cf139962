import Crew
import Domain
import Logging
import PostgresClient
import Queue
import Stores

/// Reads files that have not been read yet, and writes their passages. Nothing of it counts before a generation names it.
struct FileReader {
    /// Passages per statement: some 400 kB.
    private static let batch = 200

    private let context: JobContext
    private let engagement: Engagement.ID
    private let tenant: Tenant.ID
    private let blobs: any BlobStore
    private let texts: any TextExtractor

    /// Nil where this process cannot read files.
    init?(_ context: JobContext, _ engagement: Engagement.ID, _ tenant: Tenant.ID) {
        guard let texts = context.services.texts else { return nil }
        self.context = context
        self.engagement = engagement
        self.tenant = tenant
        blobs = context.services.blobs
        self.texts = texts
    }

    /// - Returns: the text of each file, in the same order; nil for one that could not be tried.
    func read(_ attachments: [RebuildInput.Attachment]) async throws -> [StoredText?] {
        _ = try await context.queue.postgres.query(
            ContextLedger.forgetUnfinished(of: engagement),
            timeout: .seconds(60)
        )
        let unread = attachments.indices.filter { attachments[$0].text == nil }
        var stored = attachments.map(\.text)
        // Two at a time: Postgres stems the words of both, or of one while the other is cut into passages.
        try await withThrowingTaskGroup(of: (Int, StoredText?).self) { group in
            for (done, index) in unread.enumerated() {
                if done >= 2, let (index, text) = try await group.next() { stored[index] = text }
                let progress = Double(done) / Double(unread.count)
                try await context.report(progress: progress, "reading \(attachments[index].filename)")
                group.addTask { (index, try await read(attachments[index])) }
            }
            for try await (index, text) in group { stored[index] = text }
        }
        return stored
    }

    private func read(_ attachment: RebuildInput.Attachment) async throws -> StoredText? {
        do {
            let text = try await blobs.withFile(attachment.storageKey) { path in
                try await texts.text(of: path, filename: attachment.filename)
            }
            return try await write(text, attachment)
        } catch let fault as ExtractionFault {
            say("a file cannot be read on this machine", attachment, fault.description)
            return nil
        } catch BlobError.missing {
            // Deleted a moment ago: that change wants another build.
            say("the bytes of a file are gone", attachment, "")
            return nil
        }
    }

    private func say(_ what: Logger.Message, _ attachment: RebuildInput.Attachment, _ why: String) {
        context.logger.warning(
            what,
            metadata: ["engagement": "\(engagement)", "attachment": "\(attachment.id)", "reason": "\(why)"]
        )
    }

    private func write(_ text: ExtractedText, _ attachment: RebuildInput.Attachment) async throws -> StoredText {
        let postgres = context.queue.postgres
        let chunks = Chunker.chunks(of: text)
        // A file whose text has no letter is as good as an empty one.
        let status = text.status == .indexed && chunks.isEmpty ? TextStatus.empty : text.status
        let opened = try await postgres.query(ContextLedger.open(attachment, of: engagement, tenant))
        guard let id = try opened.first?.decode(Int.self) else {
            throw PostgresError(.unexpectedResult, "no id for a text")
        }
        do {
            try await write(chunks, to: id)
            _ = try await postgres.pipeline(
                ContextLedger.close(
                    id,
                    of: engagement,
                    status: status.rawValue,
                    truncated: text.truncated,
                    chunks: chunks
                ),
                timeout: .seconds(120)
            )
        } catch {
            // An attempt that took over may have written the same text; half of ours must not stay.
            _ = try? await postgres.query(ContextLedger.forget(id))
            throw error
        }
        return StoredText(id: id, status: status.rawValue, chunks: chunks.count)
    }

    private func write(_ chunks: [TextChunk], to text: Int) async throws {
        for start in stride(from: 0, to: chunks.count, by: Self.batch) {
            _ = try await context.queue.postgres.query(
                ContextLedger.add(
                    Array(chunks[start..<min(start + Self.batch, chunks.count)]),
                    from: start,
                    to: text,
                    of: engagement
                ),
                timeout: .seconds(60)
            )
        }
    }
}
