import AsyncHTTPClient
import Crew
import Domain
import FoundationEssentials
import Jobs
import LLM
import Stores

/// Which language models this process can reach, from the settings.
extension Fleet {
    /// Without a key or a base URL of any provider, only the offline provider: it needs neither a key nor a network.
    func models() throws -> Models {
        var providers: [any LanguageModel] = [OfflineExtractive()]
        var reachable: Set<String> = []
        var accounts: [ProviderMarks.Account] = []
        if settings["OPENAI_API_KEY"] != nil || settings["OPENAI_BASE_URL"] != nil {
            let configuration = OpenAIConfiguration(
                baseURL: settings["OPENAI_BASE_URL"] ?? OpenAIConfiguration.defaultBaseURL,
                apiKey: settings["OPENAI_API_KEY"]
            )
            providers.append(try OpenAICompatible(configuration, client: Self.modelClient))
            reachable.insert(ModelProvider.openAI)
            accounts.append(account(ModelProvider.openAI, configuration.apiKey, configuration.baseURL))
        }
        if settings["ANTHROPIC_API_KEY"] != nil || settings["ANTHROPIC_BASE_URL"] != nil {
            let configuration = AnthropicConfiguration(
                baseURL: settings["ANTHROPIC_BASE_URL"] ?? AnthropicConfiguration.defaultBaseURL,
                apiKey: settings["ANTHROPIC_API_KEY"]
            )
            providers.append(try Anthropic(configuration, client: Self.modelClient))
            reachable.insert(ModelProvider.anthropic)
            accounts.append(account(ModelProvider.anthropic, configuration.apiKey, configuration.baseURL))
        }
        let allowSimulation = settings.flag("GC_SIMULATE")
        if allowSimulation { providers.append(SimulatedModel()) }
        let (prices, rates) = try pricesAndRates()
        let routing = CrewRouting(prices: prices, providers: reachable, defaultModel: settings["GC_MODEL"])
        return Models(
            routing: routing,
            providers: providers,
            allowSimulation: allowSimulation,
            observer: try observer(),
            accounts: accounts,
            reviseBelow: try reviseBelow(),
            allowsDelegation: try allowsDelegation(),
            rates: rates
        )
    }

    private func account(_ provider: String, _ key: String?, _ address: String) -> ProviderMarks.Account {
        ProviderMarks.Account(provider: provider, id: ProviderMarks.fingerprint(of: key ?? "", at: address))
    }

    /// `GC_REVISE_BELOW` in tenths.
    private func reviseBelow() throws -> Int {
        guard let text = settings["GC_REVISE_BELOW"] else { return 60 }
        guard let score = Double(text), (0...10).contains(score) else {
            throw SettingError("GC_REVISE_BELOW", "is \"\(text)\"", "It takes a score from 0 (never) to 10, such as 6.")
        }
        return Int((score * 10).rounded())
    }

    private func allowsDelegation() throws -> Bool {
        switch settings["GC_DELEGATION"] {
        case nil, "on": return true
        case "off": return false
        case let text?: throw SettingError("GC_DELEGATION", "is \"\(text)\"", "It takes on or off.")
        }
    }

    private func observer() throws -> Models.Observer {
        guard let text = settings["GC_OBSERVER"] else { return .model }
        guard let observer = Models.Observer(rawValue: text) else {
            throw SettingError("GC_OBSERVER", "is \"\(text)\"", "It takes model, heuristic or off.")
        }
        return observer
    }

    /// The shipped price table and no rates, or the operator's file.
    private func pricesAndRates() throws -> (PriceTable, RateTable) {
        let free = settings.flag("GC_UNPRICED_IS_FREE")
        guard let path = settings["GC_PRICES_FILE"] else { return (PriceTable(unpricedIsFree: free), RateTable()) }
        do {
            let file = try Data(contentsOf: URL(filePath: path))
            return (try PriceTable(file: file, unpricedIsFree: free), try RateTable(file: file))
        } catch {
            throw SettingError("GC_PRICES_FILE", "cannot be used: \(error)", "docs/operations.md shows its form.")
        }
    }
}

extension Fleet {
    /// One client for the life of the process: its connections to the model server are kept open between calls.
    private static let modelClient = HTTPClient(
        eventLoopGroup: HTTPClient.defaultEventLoopGroup,
        configuration: ModelLimits().clientConfiguration
    )
}
