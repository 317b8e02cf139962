package import Domain
package import PostgresClient

/// Mails as the worker sends them and as operators see them.
package struct EmailStore: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) {
        self.postgres = postgres
    }

    /// Says whether mails can be sent from now on; those that are written while they cannot stay `unsent` for good.
    package func setOutlet(isOpen: Bool) async throws(PostgresError) {
        _ = try await postgres.query(
            isOpen ? "INSERT INTO mail_outlet DEFAULT VALUES ON CONFLICT DO NOTHING" : "DELETE FROM mail_outlet"
        )
    }

    /// A mail that is still to be sent; nil where it was sent, or is gone.
    package func outgoing(_ id: Email.ID) async throws(PostgresError) -> Email? {
        let rows = try await postgres.query(
            "SELECT \(clause: Self.columns) FROM emails WHERE id = \(id) AND status IN ('pending','failed')"
        )
        return try rows.first.map(Self.email)
    }

    /// The newest mails of all tenants.
    ///
    /// - Parameters:
    ///   - tenant: only this one's.
    ///   - limit: at most so many.
    package func list(tenant: String?, limit: Int) async throws(PostgresError) -> [Email] {
        try await postgres.query(
            """
            SELECT \(clause: Self.columns) FROM emails WHERE (\(tenant)::text IS NULL OR tenant_id = \(tenant))
            ORDER BY created_at DESC, id DESC LIMIT \(limit)
            """
        ).map { row throws(PostgresError) in try Self.email(row) }
    }

    /// Books a mail that was taken.
    package static func sent(_ id: Email.ID) -> SQL {
        """
        UPDATE emails SET status = 'sent', attempts = attempts + 1, sent_at = now(), last_error = NULL
        WHERE id = \(id)
        """
    }

    /// Books a try that failed.
    ///
    /// - Parameter isLast: no other follows by itself.
    package func book(_ fault: MailFault, of id: Email.ID, isLast: Bool) async throws(PostgresError) {
        _ = try await postgres.query(
            """
            UPDATE emails SET attempts = attempts + 1, last_error = \(fault.description),
              status = CASE WHEN \(isLast) THEN 'failed' ELSE status END
            WHERE id = \(id) AND status <> 'sent'
            """
        )
    }

    /// Mails whose job died without a word, of a crash say, have failed.
    package static let failLost: SQL = """
        UPDATE emails m SET status = 'failed', last_error = coalesce(last_error, 'its job died')
        WHERE status = 'pending' AND created_at < now() - interval '10 seconds' AND EXISTS (
          SELECT 1 FROM jobs j WHERE j.unique_key = 'email:' || m.id AND j.state IN ('dead','cancelled'))
          AND NOT EXISTS (
          SELECT 1 FROM jobs j WHERE j.unique_key = 'email:' || m.id AND j.state IN ('queued','running'))
        """

    private static let columns: SQL = """
        id, tenant_id, template, recipient, data::text, status, attempts, last_error,
        (extract(epoch FROM created_at) * 1000000)::bigint, (extract(epoch FROM sent_at) * 1000000)::bigint
        """

    private static func email(_ row: Row) throws(PostgresError) -> Email {
        let (id, tenant, template, recipient, data, status, attempts, error, created, sent) = try row.decode(
            Email.ID.self,
            Tenant.ID.self,
            String.self,
            String.self,
            JSON.self,
            Email.Status.self,
            Int.self,
            String?.self,
            Timestamp.self,
            Timestamp?.self
        )
        return Email(
            id: id,
            tenant: tenant,
            template: template,
            recipient: recipient,
            data: data,
            status: status,
            attempts: attempts,
            lastError: error,
            createdAt: created,
            sentAt: sent
        )
    }
}
