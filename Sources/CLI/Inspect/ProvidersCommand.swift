import ArgumentParser
import Domain
import Stores

struct ProvidersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers",
        abstract: "Model providers that the fleet leaves alone now, until when, and why.",
        subcommands: [ListProviders.self, ProviderRates.self, ClearProvider.self],
        defaultSubcommand: ListProviders.self
    )
}

struct ListProviders: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Each provider that is paused, broken or down, or has failed of late. KEY names a key, it is not one."
    )

    @OptionGroup var view: ViewOptions

    func run() async throws {
        try await view.show { fleet in
            let marks = try await ProviderMarkStore(fleet.postgres).list()
            guard !view.json else { return JSON.array(marks.map(\.json)).text }
            let rates = await ProviderRates.text(fleet).map { "\n\n" + $0 } ?? ""
            return Self.text(marks) + rates
        }
    }

    private static func text(_ marks: [ProviderMarkRow]) -> String {
        guard !marks.isEmpty else { return "No provider is held; none has failed of late." }
        let rows = marks.map { mark in
            [
                mark.provider, mark.account, mark.state, mark.left.map(Terminal.seconds) ?? "-", "\(mark.faults)",
                mark.model, mark.reason,
            ]
        }
        let header = ["PROVIDER", "KEY", "STATE", "LEFT", "FAULTS", "MODEL", "REASON"]
        let isDown = marks.contains { $0.state == "down" }
        let hint = "down: the key was rejected. Change it, or lift the mark: groundcrew providers clear <provider>"
        return Terminal.table(header, rows, right: [3, 4]) + (isDown ? "\n\n" + hint : "")
    }
}

struct ClearProvider: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Forget what is known about a provider: calls go out again at once."
    )

    @Argument(help: "The provider: openai or anthropic.") var provider: String

    func run() async throws {
        try await withFleet { fleet in
            let count = try await ProviderMarkStore(fleet.postgres).clear(provider)
            guard count > 0 else {
                throw CommandEnd(.no, "Nothing is known about \"\(provider)\". `groundcrew providers` lists what is.")
            }
            Terminal.say("Forgotten. \(provider) is asked again with the next step.")
        }
    }
}

extension ProviderMarkRow {
    fileprivate var json: JSON {
        [
            "provider": .string(provider), "key": .string(account), "state": .string(state),
            "left_seconds": left.map(JSON.number) ?? .null, "until": until.map { .string($0.milliseconds) } ?? .null,
            "faults": .integer(faults), "model": .string(model), "reason": .string(reason),
            "noted_at": .string(notedAt.milliseconds),
        ]
    }
}
