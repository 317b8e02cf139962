import PostgresClient
import Queue

/// What `groundcrew doctor` says of money: events that nobody will process, payouts and refunds that failed.
enum StripeFindings {
    /// Nothing where all is well, and where Stripe is not used.
    ///
    /// - Throws: `PostgresError` where Postgres cannot be asked.
    static func examine(_ postgres: Postgres) async throws -> [Finding] {
        let row = try await postgres.query(
            """
            SELECT (SELECT count(*) FROM stripe_events WHERE status = 'dead'),
                   (SELECT count(*) FROM payouts WHERE status = 'failed'),
                   (SELECT count(*) FROM collect_tasks WHERE refund_status = 'failed')
            """
        ).first
        guard let (events, payouts, refunds) = try row?.decode(Int.self, Int.self, Int.self) else { return [] }
        var findings: [Finding] = []
        if events > 0 {
            findings.append(
                .warn(
                    "stripe.events",
                    "\(events) events of Stripe's found no match within a day",
                    why: "what they told has had no effect: a payment, a subscription or a refund",
                    remedy: "`groundcrew stripe events --status dead` says why; then `groundcrew stripe retry EVENT`."
                )
            )
        }
        if payouts > 0 {
            findings.append(
                .warn(
                    "stripe.payouts",
                    "\(payouts) payouts failed",
                    why: "their contributors are not paid, and nobody tries again by itself",
                    remedy:
                        "`groundcrew stripe payouts --status failed` says why; then `groundcrew stripe retry SUBMISSION`."
                )
            )
        }
        if refunds > 0 {
            findings.append(
                .warn(
                    "stripe.refunds",
                    "\(refunds) refunds of cancelled tasks failed",
                    why: "their buyers do not have their money back, and nobody tries again by itself",
                    remedy: "`groundcrew task list --status cancelled`, then `groundcrew stripe refund TASK`."
                )
            )
        }
        return findings
    }
}
