import ArgumentParser
import Domain
import PostgresClient
import Stores

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "People.",
        subcommands: [CreateUserCommand.self]
    )
}

extension Role: ExpressibleByArgument {}

struct CreateUserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Add a person to a tenant. A new one gets a password, which is shown once."
    )

    @Option(help: "The tenant's id.")
    var tenant: String

    @Option(help: "viewer, member or admin.")
    var role = Role.member

    @Option(help: "E-mail to log in with; made up without it.")
    var email: String?

    @Option(help: "Name to show; the e-mail without it.")
    var name: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard role != .owner else { throw ValidationError("A tenant has one owner: choose viewer, member or admin.") }
    }

    func run() async throws {
        try await withFleet { fleet in
            let email = email ?? "\(role.rawValue)-\(CUID.make().suffix(8))@\(tenant).example"
            guard try await fleet.stores.accounts.exists(ID(tenant)) else {
                throw CommandEnd.missing("There is no tenant \"\(tenant)\".")
            }
            guard let added = try await fleet.stores.members.add(ID(tenant), email: email, name: name, role: role)
            else { throw CommandEnd(.no, "\(email) is a member already.") }
            show(added.member, email: email, password: added.password)
        }
    }

    private func show(_ member: Member, email: String, password: String?) {
        let fields: JSON = [
            "user_id": .string(member.id.rawValue), "email": .string(email), "role": .string(member.role.rawValue),
            "password": password.map(JSON.string) ?? .null,
        ]
        guard !json else { return Terminal.say(fields.text) }
        Terminal.say("user      \(member.id)\ne-mail    \(email)\nrole      \(member.role.rawValue)")
        Terminal.say(password.map { "password  \($0)" } ?? "password  as before: this person had an account")
        if password != nil { Terminal.complain("The password is shown this once. Keep it somewhere safe.") }
    }
}
