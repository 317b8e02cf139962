import PostgresClient
package import Queue
package import Stores

/// The event of a report that a caller was given, its deliveries and their jobs, in a transaction of their own.
package enum AnnounceReport {
    package static func run(_ report: ReportFacts, _ queue: JobQueue) async throws {
        _ = try await queue.transaction { transaction in
            try await transaction.finish(
                [WebhookLedger.announce(report)],
                enqueuing: [
                    WebhookFollowUps.deliveries(
                        where: "d.event_id = (SELECT id FROM events WHERE dedupe_key = \(report.key))"
                    )
                ]
            )
        }
    }
}
