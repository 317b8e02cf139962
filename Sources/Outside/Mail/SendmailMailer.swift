package import Domain

/// Mail through a program that is called as sendmail is: `PROGRAM -i -f SENDER -- RECEIVER`, the mail on its input.
package struct SendmailMailer: Mailer {
    private let program: String

    /// - Parameter program: absolute path of sendmail, or of anything that can be called like it.
    package init(program: String) {
        self.program = program
    }

    /// Waits for the program as long as the caller does; cancelled, it kills it.
    package func send(_ message: MailMessage) async throws(MailFault) {
        let arguments = ["-i", "-f", message.from.text, "--", message.to.text]
        let ending = try await MailProgram.run(program, arguments, input: Self.unixLines(message.bytes))
        switch ending.code {
        case 0: return
        // EX_DATAERR, EX_NOUSER, EX_NOHOST of sysexits.h: another try would end the same.
        case 65, 67, 68: throw .never("\(program) refused the mail: \(ending.complaint)")
        case .some(let code): throw .later("\(program) ended with \(code): \(ending.complaint)")
        case nil: throw .later("\(program) was killed: \(ending.complaint)")
        }
    }

    /// These programs read lines as Unix has them.
    private static func unixLines(_ bytes: [UInt8]) -> [UInt8] { bytes.filter { $0 != UInt8(ascii: "\r") } }
}
