/// Where an OpenAI-compatible server is, and how it is spoken to.
package struct OpenAIConfiguration: Sendable {
    /// The address calls go to when none is configured.
    package static let defaultBaseURL = "https://api.openai.com/v1"

    /// `OPENAI_BASE_URL`: everything before `/chat/completions`.
    package var baseURL: String
    /// `OPENAI_API_KEY`; nil for servers that ask for none.
    package var apiKey: String?
    package var limits: ModelLimits

    package init(baseURL: String = Self.defaultBaseURL, apiKey: String?, limits: ModelLimits = ModelLimits()) {
        self.baseURL = baseURL
        self.apiKey = apiKey
        self.limits = limits
    }
}
