package import Domain

/// What it takes to send mails.
package struct MailServices: Sendable {
    package let mailer: any Mailer
    /// Whom the mails are from. Its domain is the end of their Message-IDs.
    package let sender: MailAddress

    package init(mailer: any Mailer, sender: MailAddress) {
        self.mailer = mailer
        self.sender = sender
    }
}
