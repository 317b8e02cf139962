import ArgumentParser
import Domain
import Jobs
import Stores

struct StripeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stripe",
        abstract: "What Stripe told us, and what we owe. docs/stripe.md tells how to connect an account.",
        subcommands: [
            StripeEventsCommand.self, StripePayoutsCommand.self, StripeRetryCommand.self, StripeRefundCommand.self,
        ]
    )
}

extension StripeLedger.Status: ExpressibleByArgument {}

struct StripeEventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Stripe's events, newest first.",
        discussion: """
            unmatched ones found no task, contributor or tenant, and are tried again for a day; dead ones are not. \
            Both say why. `groundcrew stripe retry` gives them another day.
            """
    )

    @Option(help: "Only these: received, done, ignored, unmatched or dead.") var status: StripeLedger.Status?
    @Option(help: "At most so many, up to 10000.") var limit = 50
    @OptionGroup var view: ViewOptions

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit takes 1 to 10000.") }
    }

    func run() async throws {
        try await view.show { fleet in
            let events = try await StripeEventStore(fleet.postgres).list(status, limit: limit)
            guard !view.json else { return JSON.array(events.map(\.json)).text }
            guard !events.isEmpty else { return "There are no such events." }
            let rows = events.map { event in
                [
                    event.id, event.type, event.object, event.isLive ? "live" : "test", event.status.rawValue,
                    "\(event.attempts)", String(event.receivedAt.seconds.prefix(19)).replacing("T", with: " "),
                    event.error ?? "",
                ]
            }
            let header = ["EVENT", "TYPE", "OBJECT", "MODE", "STATUS", "TRIES", "RECEIVED (UTC)", "WHY"]
            return Terminal.table(header, rows, right: [5])
        }
    }
}

struct StripeRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Process events again that found no match, for another day from now; pay payouts again that failed."
    )

    @Argument(help: "Ids of events (evt_…), or of submissions whose payout failed (sub_…).") var events: [String]
    @Flag(help: "Print JSON for programs.") var json = false

    func run() async throws {
        try await withFleet { fleet in
            var retried: [String] = []
            for event in events {
                let isRetried =
                    try await event.hasPrefix("sub_")
                    ? PaymentRetry.payout(event, in: fleet.queue) : StripeInbox.retry(event, in: fleet.queue)
                if isRetried { retried.append(event) }
            }
            let left = events.filter { !retried.contains($0) }
            if json {
                let fields: JSON = [
                    "retried": .array(retried.map(JSON.string)), "left": .array(left.map(JSON.string)),
                ]
                Terminal.say(fields.text)
            } else if !retried.isEmpty {
                Terminal.say("Processing again: \(retried.joined(separator: ", ")).")
            }
            guard left.isEmpty else {
                throw CommandEnd(
                    .no,
                    "Unknown, ignored, not failed, or had their effect already: \(left.joined(separator: ", "))."
                )
            }
        }
    }
}

extension StripeEventStore.Entry {
    fileprivate var json: JSON {
        [
            "id": .string(id), "type": .string(type), "object": .string(object), "livemode": .bool(isLive),
            "status": .string(status.rawValue), "attempts": .integer(attempts),
            "error": error.map(JSON.string) ?? .null, "created": .string(created.seconds),
            "received_at": .string(receivedAt.milliseconds),
        ]
    }
}
