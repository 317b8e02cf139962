import Crypto
package import Domain
package import PostgresClient

/// PDF files by the hash of their content. They are a cache: any of them may be gone at any time.
package struct ExportFiles: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// Raised whenever the template changes, so that old files are not served for it.
    private static let edition = "2"

    /// SHA-256 in hex over everything that is on the pages.
    package static func hash(of report: ClientReport) -> String {
        var fields = [edition, report.tenant, report.engagement, report.client, report.date.seconds]
        fields += [report.withProvenance ? "provenance" : "", report.isExcerpt ? "excerpt" : ""]
        fields += [report.brand.color?.hex ?? "", report.brand.logo?.kind.rawValue ?? ""]
        for part in report.parts {
            let origin = part.origin
            fields += [part.filename, String(part.version), part.markdown, part.score.map { "\($0)" } ?? ""]
            fields += [origin.agent, origin.models, origin.reason, "\(origin.calls)", "\(origin.cost.nanos)"]
            fields += ["\(origin.inputTokens)", "\(origin.outputTokens)"]
        }
        var digest = SHA256()
        // The length before each field: no two lists of fields give the same bytes.
        for field in fields { digest.update(data: Array("\(field.utf8.count):\(field)".utf8)) }
        digest.update(data: report.brand.logo?.bytes ?? [])
        return digest.finalize().hexadecimal
    }

    /// The bytes of a file that was made within the last day.
    package func find(_ hash: String, _ tenant: Tenant.ID) async throws(PostgresError) -> [UInt8]? {
        let found = try await postgres.query(
            """
            SELECT content FROM export_files
            WHERE tenant_id = \(tenant) AND hash = \(hash) AND created_at > now() - interval '1 day'
            """
        )
        return try found.first?.decode(PostgresBytes.self).bytes
    }

    /// The job that makes this file right now, where there is one.
    package func maker(_ uniqueKey: String) async throws(PostgresError) -> Int? {
        let found = try await postgres.query(
            "SELECT id FROM jobs WHERE unique_key = \(uniqueKey) AND state IN ('queued','running')"
        )
        return try found.first?.decode(Int.self)
    }

    /// Keeps a file for a day. A second one with the same hash changes only its age.
    package static func keep(_ bytes: [UInt8], as hash: String, _ tenant: Tenant.ID) -> SQL {
        """
        INSERT INTO export_files (tenant_id, hash, content) VALUES (\(tenant), \(hash), \(PostgresBytes(bytes))::bytea)
        ON CONFLICT (tenant_id, hash) DO UPDATE SET content = EXCLUDED.content, created_at = now()
        """
    }

    /// Removes what is older than a day.
    package static let prune: SQL = "DELETE FROM export_files WHERE created_at < now() - interval '1 day'"
}
