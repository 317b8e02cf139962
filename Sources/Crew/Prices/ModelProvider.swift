/// The names of providers in prices, routes and marks.
package enum ModelProvider {
    package static let openAI = "openai"
    package static let anthropic = "anthropic"
    package static let offline = "offline"
    package static let simulated = "simulated"
    /// The one model of the offline provider.
    package static let offlineModel = "offline-extractive-1"

    /// Who makes a model that no price names, told from the name.
    static func maker(of model: String) -> String? { model.hasPrefix("claude-") ? anthropic : nil }
}
