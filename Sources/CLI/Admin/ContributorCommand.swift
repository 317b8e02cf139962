import ArgumentParser
import Domain
import Stores

struct ContributorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contributor",
        abstract: "People who record for collection tasks.",
        subcommands: [CreateContributorCommand.self]
    )
}

struct CreateContributorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a contributor's account with a password, which is shown once."
    )

    @Option(help: "E-mail to log in with.")
    var email: String

    @Option(help: "Name to show; the e-mail without it.")
    var name: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !email.contains(where: \.isWhitespace) else {
            throw ValidationError("\"\(email)\" is no e-mail address.")
        }
    }

    func run() async throws {
        try await withFleet { fleet in
            guard let made = try await fleet.stores.contributors.create(email: email, name: name) else {
                throw CommandEnd(.no, "\(email) has an account already. Take another e-mail.")
            }
            let fields: JSON = [
                "user_id": .string(made.id.rawValue), "email": .string(email), "password": .string(made.password),
            ]
            guard !json else { return Terminal.say(fields.text) }
            Terminal.say("user      \(made.id)\ne-mail    \(email)\npassword  \(made.password)")
            Terminal.complain("The password is shown this once. Keep it somewhere safe.")
        }
    }
}
