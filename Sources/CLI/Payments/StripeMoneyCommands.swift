import ArgumentParser
import Domain
import Jobs
import Stores

struct StripePayoutsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payouts",
        abstract: "What contributors earned, newest first.",
        discussion: """
            pending ones wait for their transfer; blocked ones for the contributor's account at Stripe; failed ones say \
            why, and wait for `groundcrew stripe retry SUBMISSION`.
            """
    )

    /// The states of a payout.
    enum State: String, CaseIterable, ExpressibleByArgument {
        case pending, blocked, paid, failed
    }

    @Option(help: "Only these: pending, blocked, paid or failed.") var status: State?
    @Option(help: "At most so many, up to 10000.") var limit = 50
    @OptionGroup var view: ViewOptions

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit takes 1 to 10000.") }
    }

    func run() async throws {
        try await view.show { fleet in
            let payouts = try await PayoutEntry.list(status?.rawValue, limit: limit, from: fleet.postgres)
            guard !view.json else { return JSON.array(payouts.map(\.json)).text }
            guard !payouts.isEmpty else { return "There are no such payouts." }
            let rows = payouts.map { payout in
                [
                    payout.submission, payout.tenant.rawValue, payout.contributor, "\(payout.amountCents)",
                    payout.status, payout.transfer ?? "", payout.error ?? "",
                ]
            }
            let header = ["SUBMISSION", "TENANT", "CONTRIBUTOR", "CENTS", "STATUS", "TRANSFER", "WHY"]
            return Terminal.table(header, rows, right: [3])
        }
    }
}

extension PayoutEntry {
    fileprivate var json: JSON {
        [
            "submission": .string(submission), "tenant": .string(tenant.rawValue),
            "contributor": .string(contributor), "amount_cents": .integer(amountCents), "status": .string(status),
            "transfer": transfer.map(JSON.string) ?? .null, "error": error.map(JSON.string) ?? .null,
        ]
    }
}

struct StripeRefundCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refund",
        abstract: "Give the buyer of a cancelled task back what no approval has spent.",
        discussion: """
            Cancelling does this by itself where Stripe is connected. This is for a refund that failed, and for tasks that \
            were cancelled before. Money that `groundcrew task fund` booked did not come through Stripe, and goes back \
            the way it came.
            """
    )

    @Argument(help: "The task's id.") var task: String
    @Flag(help: "Print JSON for programs.") var json = false

    func run() async throws {
        try await withFleet { fleet in
            guard try await fleet.stores.collectionDesk.find(ID(task)) != nil else {
                throw CommandEnd.missing("There is no task \"\(task)\".")
            }
            let isAsked = try await PaymentRetry.refund(task, in: fleet.queue)
            if json { Terminal.say(JSON.object(["task": .string(task), "asked": .bool(isAsked)]).text) }
            guard isAsked else {
                throw CommandEnd(
                    .no,
                    """
                    Nothing of \(task) goes back through Stripe: it is not cancelled, was not paid there, is spent, or its \
                    refund is made or under way.
                    """
                )
            }
            if !json { Terminal.say("A worker gives the money of \(task) back now.") }
        }
    }
}
