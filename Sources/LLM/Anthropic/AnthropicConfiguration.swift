/// Where Anthropic's API is, and how it is spoken to.
package struct AnthropicConfiguration: Sendable {
    /// The address calls go to when none is configured.
    package static let defaultBaseURL = "https://api.anthropic.com"

    /// `ANTHROPIC_BASE_URL`: everything before `/v1/messages`; with or without the `/v1`.
    package var baseURL: String
    /// `ANTHROPIC_API_KEY`; nil for gateways that ask for none.
    package var apiKey: String?
    package var limits: ModelLimits

    package init(baseURL: String = Self.defaultBaseURL, apiKey: String?, limits: ModelLimits = ModelLimits()) {
        self.baseURL = baseURL
        self.apiKey = apiKey
        self.limits = limits
    }
}
