import ArgumentParser
import Domain
import Stores

struct EmailsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emails",
        abstract: "Mails to people, newest first, and what came of them."
    )

    @Option(help: "Only this tenant.") var tenant: String?
    @Option(help: "At most so many, up to 10000.") var limit = 50
    @OptionGroup var view: ViewOptions

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit takes 1 to 10000.") }
    }

    func run() async throws {
        try await view.show { fleet in
            let emails = try await fleet.stores.emails.list(tenant: tenant, limit: limit)
            guard !view.json else { return JSON.array(emails.map(\.json)).text }
            guard !emails.isEmpty else { return "No mail was written yet." }
            let rows = emails.map { email in
                [
                    email.createdAt.seconds.replacing("T", with: " ").replacing("Z", with: ""), email.status.rawValue,
                    "\(email.attempts)", email.recipient, email.subject, email.lastError ?? "",
                ]
            }
            let header = ["WRITTEN (UTC)", "STATUS", "TRIES", "TO", "SUBJECT", "ERROR"]
            let unsent = emails.contains { $0.status == .unsent }
            let hint =
                "unsent: there was no mailer. Set GC_SMTP_URL or GC_SENDMAIL for the workers; later mails are sent."
            return Terminal.table(header, rows, right: [2]) + (unsent ? "\n\n" + hint : "")
        }
    }
}

extension Email {
    /// Empty where the template is newer than this program.
    fileprivate var subject: String { MailTemplate(rawValue: template)?.words(data).subject ?? "" }

    fileprivate var json: JSON {
        [
            "id": .string(id.rawValue), "tenant": .string(tenant.rawValue), "template": .string(template),
            "to": .string(recipient), "subject": .string(subject), "status": .string(status.rawValue),
            "attempts": .integer(attempts), "error": lastError.map(JSON.string) ?? .null,
            "created_at": .string(createdAt.milliseconds), "sent_at": sentAt.map { .string($0.milliseconds) } ?? .null,
            "data": data,
        ]
    }
}
