import ArgumentParser
import Domain
import Logging
import Stores

struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin",
        abstract: "Tenants, people, contributors, keys and plans.",
        subcommands: [
            TenantCommand.self, UserCommand.self, ContributorCommand.self, KeyCommand.self, PlanCommand.self,
        ]
    )
}

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant",
        abstract: "Tenants.",
        subcommands: [CreateTenantCommand.self, BrandCommand.self]
    )
}

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "API keys.",
        subcommands: [CreateKeyCommand.self]
    )
}

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Plans.",
        subcommands: [SetPlanCommand.self]
    )
}

extension Plan: ExpressibleByArgument {}
extension KeyMode: ExpressibleByArgument {}

struct CreateTenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a tenant with an owner and a read_write key, which is shown once."
    )

    @Option(help: "The tenant's name.")
    var name: String

    @Option(help: "starter, professional or enterprise.")
    var plan = Plan.starter

    @Flag(help: "Without an active subscription.")
    var noSubscription = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await withFleet { fleet in
            let made = try await fleet.createTenant(name: name, plan: noSubscription ? nil : plan)
            guard !json else { return Terminal.say(made.json.text) }
            Terminal.say(
                """
                tenant   \(made.tenant.id)
                owner    \(made.tenant.email)
                password \(made.password)
                key      \(made.key)
                """
            )
            Terminal.complain("Password and key are shown this once. Keep them somewhere safe.")
        }
    }
}

struct CreateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make an API key, which is shown once."
    )

    @Option(help: "The tenant's id.")
    var tenant: String

    @Option(help: "Scopes, separated by commas: \(Scope.allCases.map(\.rawValue).joined(separator: ", ")).")
    var scopes = Scope.readWrite.rawValue

    @Option(help: "live or test.")
    var mode = KeyMode.live

    @Option(help: "What the key is for.")
    var name = "made on the command line"

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let scopes = try scopes.split(separator: ",").map { text in
            guard let scope = Scope(rawValue: String(text)) else {
                throw ValidationError("There is no scope \"\(text)\".")
            }
            return scope
        }
        try await withFleet { fleet in
            let key = try await fleet.stores.accounts.createKey(
                tenant: ID(tenant),
                name: name,
                scopes: scopes,
                mode: mode
            )
            guard let key else { throw CommandEnd.missing("There is no tenant \"\(tenant)\".") }
            Terminal.say(
                json ? JSON.object(["id": .string(key.id), "key": .string(key.plaintext)]).text : key.plaintext
            )
        }
    }
}

struct SetPlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Set a tenant's plan.")

    @Option(help: "The tenant's id.")
    var tenant: String

    @Option(help: "starter, professional or enterprise.")
    var plan: Plan

    func run() async throws {
        try await withFleet { fleet in
            guard try await fleet.stores.accounts.setPlan(plan, for: ID(tenant)) else {
                throw CommandEnd.missing("There is no tenant \"\(tenant)\".")
            }
            Terminal.say("\(tenant) is on the \(plan.rawValue) plan.")
        }
    }
}

/// A tenant and its first key.
struct MadeTenant: Sendable {
    let tenant: AccountStore.NewTenant
    let key: String
    /// Of the owner.
    let password: String

    var json: JSON {
        [
            "tenant_id": .string(tenant.id.rawValue), "owner_email": .string(tenant.email),
            "owner_password": .string(password), "api_key": .string(key),
        ]
    }
}

extension Fleet {
    func createTenant(name: String, plan: Plan?) async throws -> MadeTenant {
        let password = Secret.password()
        let tenant = try await stores.accounts.createTenant(
            name: name,
            plan: plan,
            passwordHash: try await stores.passwords.hash(password)
        )
        let key = try await stores.accounts.createKey(
            tenant: tenant.id,
            name: "first key",
            scopes: [.readWrite],
            mode: .live
        )
        guard let key else { throw CommandEnd(.failed, "The tenant vanished while its key was made. Try again.") }
        return MadeTenant(tenant: tenant, key: key.plaintext, password: password)
    }
}

/// Runs a short command against the fleet's Postgres and Redis.
func withFleet(_ body: (Fleet) async throws -> Void) async throws {
    let settings = Settings.load()
    let fleet = try Fleet(settings, logger: Fleet.logger(settings, level: .error))
    do {
        try await fleet.checkDatabase()
        try await body(fleet)
    } catch {
        await fleet.close()
        throw error
    }
    await fleet.close()
}
