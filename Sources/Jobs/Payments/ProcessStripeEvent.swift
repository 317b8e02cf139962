import Domain
import FoundationEssentials
import Logging
import PostgresClient
import Queue
import Stores

/// Carries out what one of Stripe's events asks for, exactly once (contract J-9). An event that does not fit yet,
/// because its task or its contributor is not known here, is tried again for a day.
package struct ProcessStripeEvent: Job {
    package static let kind = JobKind.processStripeEvent
    package static let policy = JobPolicy(
        queue: .stripe,
        priority: 2,
        timeout: .seconds(30),
        retry: RetryPolicy(attempts: 8, base: .seconds(5), ceiling: .seconds(3600))
    )

    let event: String

    package init(event: String) {
        self.event = event
    }

    static func key(_ event: String) -> String { "stripe.event:\(event)" }

    /// The job for now, also where one waits for later.
    static func atOnce(_ event: String) throws -> NewJob {
        try NewJob(Self(event: event), uniqueness: Uniqueness(key(event), onConflict: .replace))
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        let result = try await context.settle { transaction -> StripeResult? in
            guard let opened = try await StripeLedger.open(event, in: transaction.sql), opened.isOpen else {
                return nil
            }
            let result = try await carryOut(opened, context.services.payments, transaction)
            try await book(result, opened, transaction)
            return result
        }
        if case .unmatched(let reason) = result {
            context.logger.warning(
                "an event of Stripe's found no match",
                metadata: ["event": "\(event)", "reason": "\(reason)"]
            )
        }
        return .settled
    }

    private func carryOut(
        _ opened: StripeLedger.Opened,
        _ payments: PaymentServices,
        _ transaction: QueueTransaction
    ) async throws -> StripeResult {
        guard let event = StripeEvent(payload: Data(opened.payload.utf8)) else {
            return .ignored("its payload cannot be read")
        }
        let deeds = StripeDeeds(event: event, payments: payments, transaction: transaction)
        return try await deeds.carryOut(event.effect(payments.prices))
    }

    private func book(
        _ result: StripeResult,
        _ opened: StripeLedger.Opened,
        _ transaction: QueueTransaction
    ) async throws {
        switch result {
        case .done: _ = try await transaction.sql.query(StripeLedger.book(event, .done, error: nil))
        case .ignored(let reason):
            _ = try await transaction.sql.query(StripeLedger.book(event, .ignored, error: reason))
        case .unmatched(let reason) where opened.isLate:
            _ = try await transaction.sql.query(StripeLedger.book(event, .dead, error: reason))
        case .unmatched(let reason):
            _ = try await transaction.sql.query(StripeLedger.book(event, .unmatched, error: reason))
            // This job has ended in this transaction, so its key is free.
            try await transaction.enqueue(
                self,
                delay: Self.pause(after: opened.attempts),
                uniqueKey: Self.key(event)
            )
        }
    }

    /// 5 s, doubled up to five minutes: what is on its way comes within seconds, what an operator must mend does not.
    static func pause(after attempts: Int) -> Duration { .seconds(min(300, 5 << min(attempts, 6))) }
}

/// What came of an event.
enum StripeResult: Sendable, Equatable {
    case done
    case ignored(String)
    case unmatched(String)
}
