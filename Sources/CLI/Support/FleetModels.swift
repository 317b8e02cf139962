import AsyncHTTPClient
import Crew
import Domain
import FoundationEssentials
import Jobs
import LLM

/// Which language models this process can reach, from the settings.
extension Fleet {
    /// Without a key or a base URL, only the offline provider: it needs neither a key nor a network.
    func models() throws -> Models {
        var providers: [any LanguageModel] = [OfflineExtractive()]
        var reachable: Set<String> = []
        if settings["OPENAI_API_KEY"] != nil || settings["OPENAI_BASE_URL"] != nil {
            let configuration = OpenAIConfiguration(
                baseURL: settings["OPENAI_BASE_URL"] ?? OpenAIConfiguration.defaultBaseURL,
                apiKey: settings["OPENAI_API_KEY"]
            )
            providers.append(try OpenAICompatible(configuration, client: Self.modelClient))
            reachable.insert(ModelProvider.openAI)
        }
        let allowSimulation = settings.flag("GC_SIMULATE")
        if allowSimulation { providers.append(SimulatedModel()) }
        let routing = CrewRouting(prices: try prices(), providers: reachable, defaultModel: settings["GC_MODEL"])
        return Models(
            routing: routing,
            providers: providers,
            allowSimulation: allowSimulation,
            observer: try observer()
        )
    }

    private func observer() throws -> Models.Observer {
        guard let text = settings["GC_OBSERVER"] else { return .model }
        guard let observer = Models.Observer(rawValue: text) else {
            throw SettingError("GC_OBSERVER", "is \"\(text)\"", "It takes model, heuristic or off.")
        }
        return observer
    }

    /// The shipped price table, or the operator's file.
    private func prices() throws -> PriceTable {
        let free = settings.flag("GC_UNPRICED_IS_FREE")
        guard let path = settings["GC_PRICES_FILE"] else { return PriceTable(unpricedIsFree: free) }
        do {
            return try PriceTable(file: Data(contentsOf: URL(filePath: path)), unpricedIsFree: free)
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
