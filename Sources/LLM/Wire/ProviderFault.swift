import Domain
import FoundationEssentials

/// What a model server says went wrong. `code` is a word with OpenAI and a number with llama.cpp; Anthropic has a `type`
/// alone, and some servers send nothing but the message.
struct ProviderError: Sendable, Equatable {
    var message = ""
    var type = ""
    var code = ""
    /// The status, where the server repeats it in the body.
    var status: Int?
    /// The model's limit in tokens, where the server names it.
    var limit: Int?

    /// Reads `{"error": {…}}`, `{"error": "…"}`, `{"message": "…"}` or `{"detail": "…"}`; other text is the message.
    static func read(_ bytes: [UInt8]) -> ProviderError {
        guard let json = try? JSON(parsing: Data(bytes)), json.objectValue != nil else {
            return ProviderError(message: String(decoding: bytes.prefix(600), as: UTF8.self))
        }
        let inner = json["error"] ?? json
        var error = ProviderError()
        error.message = inner.stringValue ?? inner["message"]?.stringValue ?? json["detail"]?.stringValue ?? ""
        error.type = inner["type"]?.stringValue ?? ""
        error.code = inner["code"]?.stringValue ?? ""
        error.status = (inner["code"]?.intValue ?? Int(error.code)).flatMap { (400...599).contains($0) ? $0 : nil }
        error.limit = inner["n_ctx"]?.intValue ?? limit(in: error.message)
        return error
    }

    /// `maximum context length is 8192 tokens`, or `prompt is too long: 9000 tokens > 8192 maximum`.
    private static func limit(in message: String) -> Int? {
        for lead in ["maximum context length is ", "maximum context length of ", " tokens > "] {
            guard let range = message.firstRange(of: lead) else { continue }
            return Int(message[range.upperBound...].prefix { $0.isASCII && $0.isNumber })
        }
        return nil
    }
}

/// Turns a status and the server's words into the fault the fault table knows (engine 3.6).
struct ProviderWords: Sendable {
    let redaction: Redaction
    /// The setting that holds the server's address.
    let addressSetting: String

    func fault(status: Int, _ error: ProviderError, wait: Duration?) -> ModelFault {
        let words = words(status, error)
        if Self.isQuota(status, error) { return .quota }
        if Self.isContext(status, error) { return .contextTooLong(limit: error.limit) }
        switch status {
        // 403 is about what was asked: the key may not use this model. It says nothing of other calls.
        case 401: return .auth
        case 429: return .rateLimited(retryAfter: wait)
        case 503, 529: return .overloaded(retryAfter: wait)
        case 408, 500...599: return .server(status: status)
        case 400...499 where Self.isRefusal(error): return .refused(words)
        default: return .badRequest(words)
        }
    }

    private func words(_ status: Int, _ error: ProviderError) -> String {
        let words = redaction.clean(error.message)
        if (300...399).contains(status) { return "status \(status): the address redirects; check \(addressSetting)" }
        if !words.isEmpty { return "status \(status): \(words)" }
        return status == 404 ? "status 404: no such model or address; check \(addressSetting)" : "status \(status)"
    }

    private static func isQuota(_ status: Int, _ error: ProviderError) -> Bool {
        guard (400...499).contains(status) else { return false }
        if status == 402 { return true }
        let names = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "billing_error"]
        if names.contains(error.code) || names.contains(error.type) { return true }
        let message = error.message.lowercased()
        if message.contains("credit balance is too low") { return true }
        return (status == 429 || status == 403)
            && ["current quota", "billing", "insufficient balance", "out of credits"].contains(where: message.contains)
    }

    private static func isContext(_ status: Int, _ error: ProviderError) -> Bool {
        if error.code == "context_length_exceeded" || error.type == "exceed_context_size_error" { return true }
        if status == 413 || error.type == "request_too_large" { return true }
        guard [400, 422, 500].contains(status) else { return false }
        let message = error.message.lowercased()
        return ["context length", "context size", "context window", "prompt is too long"].contains(
            where: message.contains
        )
    }

    private static func isRefusal(_ error: ProviderError) -> Bool {
        ["content_filter", "content_policy_violation"].contains(error.code)
    }
}
