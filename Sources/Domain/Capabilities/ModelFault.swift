/// Why a call gave no answer. What to do about each is the fault table's business (engine 3.6).
///
/// No text in here ever holds an API key: providers strike keys out before they throw.
package enum ModelFault: Error, Sendable, Hashable {
    package enum Phase: String, Sendable, Hashable {
        case connect, firstByte, silence, total
    }

    /// 429: too many calls; the wait the provider asks for, nil where it does not say.
    case rateLimited(retryAfter: Duration?)
    /// 503 and 529: the provider has too much to do.
    case overloaded(retryAfter: Duration?)
    /// Any other status that may pass: 408, 500, 502, 504.
    case server(status: Int)
    /// The connection could not be made, or broke before an answer began.
    case network(String)
    case timeout(Phase)
    /// The answer began and broke off.
    case truncated
    /// The answer was whole and had no text.
    case empty
    /// The prompt is too long; the provider's limit in tokens, where it says.
    case contextTooLong(limit: Int?)
    /// The provider will not answer this prompt.
    case refused(String)
    /// 400, 404, 422: this request will never work; the provider's words.
    case badRequest(String)
    /// 401 and 403.
    case auth
    /// The account has no money left.
    case quota
    /// The answer is not what was asked for; the validator's words.
    case invalidOutput(String)
    /// The caller's task was cancelled; the output received until then is still paid for.
    case cancelled(partialOutputBytes: Int)
}

extension ModelFault: CustomStringConvertible {
    /// A sentence for people: log lines and the error of a task.
    package var description: String {
        switch self {
        case .rateLimited(let wait): "the provider asks for fewer calls" + Self.wait(wait)
        case .overloaded(let wait): "the provider is overloaded" + Self.wait(wait)
        case .server(let status): "the provider answered \(status)"
        case .network(let what): "the provider could not be reached: \(what)"
        case .timeout(.connect): "no connection to the provider in time"
        case .timeout(.firstByte): "the provider did not begin to answer in time"
        case .timeout(.silence): "the provider fell silent in the middle of its answer"
        case .timeout(.total): "the provider's answer took too long"
        case .truncated: "the provider's answer broke off"
        case .empty: "the provider's answer was empty"
        case .contextTooLong(let limit):
            "the prompt is too long for the model" + (limit.map { " (\($0) tokens)" } ?? "")
        case .refused(let words): "the provider refused: \(words)"
        case .badRequest(let words): "the provider did not accept the request: \(words)"
        case .auth: "the provider rejected the credentials"
        case .quota: "the provider's quota is exhausted"
        case .invalidOutput(let why): "the answer has the wrong form: \(why)"
        case .cancelled: "the call was cancelled"
        }
    }

    private static func wait(_ wait: Duration?) -> String {
        wait.map { "; it says to wait \($0.components.seconds) s" } ?? ""
    }
}
