private import Domain
private import PostgresClient
private import Queue
package import Stores

/// Hands one mail to the mailer. Enqueued in the transaction that wrote it.
///
/// At least once: a worker that is killed between sending and booking sends again, with the same Message-ID.
package struct SendEmail: Job {
    package static let kind = JobKind.sendEmail
    package static let policy = JobPolicy(
        queue: .email,
        priority: 6,
        timeout: .seconds(30),
        retry: RetryPolicy(attempts: 6, base: .seconds(10), ceiling: .seconds(3600))
    )

    let email: Email.ID

    package init(email: Email.ID) {
        self.email = email
    }

    package func run(_ context: JobContext) async throws -> Outcome {
        guard let mail = context.services.mail else {
            return .snooze(.seconds(60), "no mailer: set GC_SMTP_URL or GC_SENDMAIL for every worker")
        }
        guard let email = try await context.services.stores.emails.outgoing(email) else {
            return .cancel("the mail was sent, or deleted with its account")
        }
        do {
            try await mail.mailer.send(try Self.message(email, from: mail.sender))
        } catch {
            return try await failed(error, context)
        }
        try await context.settle(writing: [EmailStore.sent(email.id)])
        return .settled
    }

    private func failed(_ fault: MailFault, _ context: JobContext) async throws -> Outcome {
        let isLast = context.job.failures + 1 >= context.job.maxAttempts
        switch fault {
        case .never(let why):
            try await context.services.stores.emails.book(fault, of: email, isLast: true)
            return .refuse(why)
        case .later:
            try await context.services.stores.emails.book(fault, of: email, isLast: isLast)
            throw fault
        }
    }

    private static func message(_ email: Email, from sender: MailAddress) throws(MailFault) -> MailMessage {
        guard let template = MailTemplate(rawValue: email.template) else {
            throw .later("this worker has no template \"\(email.template)\": it is older than the mail")
        }
        guard let receiver = MailAddress(email.recipient) else {
            throw .never("the user's address cannot receive mail: it must be plain ASCII, name@domain")
        }
        let words = template.words(email.data)
        return MailMessage(
            from: sender,
            to: receiver,
            subject: words.subject,
            text: words.text,
            id: email.id.rawValue,
            date: email.createdAt
        )
    }
}
