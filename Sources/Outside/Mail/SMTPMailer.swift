package import Domain
import FoundationEssentials

/// Mail to an SMTP server, by curl. It is told everything on its input, so that no password is on a command line.
///
/// With a password TLS is required, except to this very machine; without one it is used where the server offers it.
/// Certificates are checked against the system's authorities.
package struct SMTPMailer: Mailer {
    private let server: SMTPServer

    /// Seconds for one mail.
    private static let limit = 25

    package init(_ server: SMTPServer) {
        self.server = server
    }

    package func send(_ message: MailMessage) async throws(MailFault) {
        let file = try write(message)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let input = Array(instructions(for: message, in: file).utf8)
        // -q first: nobody's .curlrc is read.
        let ending = try await MailProgram.run("curl", ["-q", "--config", "-"], input: input)
        guard ending.code != 0 else { return }
        throw fault(ending)
    }

    /// curl reads its instructions where it would read the mail, so the mail lies in a file that only we can read.
    private func write(_ message: MailMessage) throws(MailFault) -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "groundcrew-mail-\(UUID().uuidString)").path
        let isWritten = FileManager.default.createFile(
            atPath: path,
            contents: Data(message.bytes),
            attributes: [.posixPermissions: 0o600]
        )
        guard isWritten else { throw .later("the mail could not be written to \(path)") }
        return path
    }

    private func instructions(for message: MailMessage, in file: String) -> String {
        let needsTLS = server.user != nil && !server.isHere
        var lines = [
            option("url", "\(server.beginsWithTLS ? "smtps" : "smtp")://\(server.host):\(server.port)"),
            option("proto", "=smtp,smtps"),
            option("noproxy", "*"),
            option("mail-from", "<\(message.from)>"),
            option("mail-rcpt", "<\(message.to)>"),
            option("upload-file", file),
            option("write-out", "%{response_code}"),
            "connect-timeout = 10", "max-time = \(Self.limit)", "silent", "show-error",
        ]
        if !server.beginsWithTLS, needsTLS || !server.isHere { lines.append(needsTLS ? "ssl-reqd" : "ssl") }
        if let user = server.user, let password = server.password {
            lines.append(option("user", "\(user):\(password)"))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func option(_ name: String, _ value: String) -> String {
        let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\(name) = \"\(escaped)\""
    }

    /// 5xx is for good (RFC 5321 4.2.1), unless it is about us, not about the mail: 530 to 538 speak of credentials.
    private func fault(_ ending: MailProgram.Ending) -> MailFault {
        let reply = Int(ending.output.filter(\.isNumber)) ?? 0
        let code = reply > 0 ? " (reply \(reply))" : ""
        let words = "\(server.place) did not take the mail\(code): \(ending.complaint)"
        let isLogin = ending.code == 67 || (530...538).contains(reply)
        return (500...599).contains(reply) && !isLogin ? .never(words) : .later(words)
    }
}
