/// Hands a mail to something that delivers it. Real in the worker, absent in the API.
package protocol Mailer: Sendable {
    /// Comes back once the other side has taken responsibility; the caller's own limit ends a longer wait.
    ///
    /// Called again for the same mail, it sends it again: receivers know it by its Message-ID.
    func send(_ message: MailMessage) async throws(MailFault)
}

/// Why a mail was not taken. The texts hold no password.
package enum MailFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// It may work later: no connection, a 4xx reply, a wrong setting.
    case later(String)
    /// It will never work: the server refuses this mail or this receiver.
    case never(String)

    package var description: String {
        switch self {
        case .later(let why), .never(let why): why
        }
    }
}
