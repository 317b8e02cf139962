import Domain
import Jobs
import Outside
import Queue
import Stores

/// What sends mail, from the settings.
extension Fleet {
    /// Nil where neither GC_SMTP_URL nor GC_SENDMAIL is set.
    ///
    /// - Throws: ``SettingError``, without the password.
    func mail() throws -> MailServices? {
        guard let mailer = try mailer() else { return nil }
        return MailServices(mailer: mailer, sender: try mailSender())
    }

    private func mailer() throws -> (any Mailer)? {
        switch (settings["GC_SMTP_URL"], settings["GC_SENDMAIL"]) {
        case (nil, nil): return nil
        case (.some, .some):
            throw SettingError("GC_SENDMAIL", "is set beside GC_SMTP_URL", "Set one of them.")
        case (nil, .some(let program)):
            guard program.hasPrefix("/") else {
                throw SettingError("GC_SENDMAIL", "is \"\(program)\"", "It must be a path such as /usr/sbin/sendmail.")
            }
            return SendmailMailer(program: program)
        case (.some(let url), nil):
            do {
                return SMTPMailer(try SMTPServer(url: url))
            } catch {
                throw SettingError("GC_SMTP_URL", error.description, "docs/operations.md has examples.")
            }
        }
    }

    private func mailSender() throws -> MailAddress {
        let text = settings["GC_MAIL_FROM"] ?? "groundcrew@\(Fleet.hostName)"
        guard let address = MailAddress(text) else {
            throw SettingError("GC_MAIL_FROM", "is \"\(text)\"", "It must be an address such as crew@example.com.")
        }
        return address
    }

    /// Tells the writers of mails whether they will be sent. Workers that serve the queue say it when they begin.
    func declareMail(queues: [QueueName] = QueueName.allCases) async throws {
        guard queues.contains(.email) else { return }
        try await stores.emails.setOutlet(isOpen: try mail() != nil)
    }
}
