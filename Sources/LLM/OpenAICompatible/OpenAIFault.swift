import Domain
import FoundationEssentials

/// What an OpenAI-compatible server says went wrong. `code` is a word with OpenAI and a number with llama.cpp; some
/// servers send the message alone.
struct OpenAIError: Sendable, Equatable {
    var message = ""
    var type = ""
    var code = ""
    /// The status, where the server repeats it in the body.
    var status: Int?
    /// The model's limit in tokens, where the server names it.
    var limit: Int?

    /// Reads `{"error": {…}}`, `{"error": "…"}`, `{"message": "…"}` or `{"detail": "…"}`; other text is the message.
    static func read(_ bytes: [UInt8]) -> OpenAIError {
        guard let json = try? JSON(parsing: Data(bytes)), json.objectValue != nil else {
            return OpenAIError(message: String(decoding: bytes.prefix(600), as: UTF8.self))
        }
        let inner = json["error"] ?? json
        var error = OpenAIError()
        error.message = inner.stringValue ?? inner["message"]?.stringValue ?? json["detail"]?.stringValue ?? ""
        error.type = inner["type"]?.stringValue ?? ""
        error.code = inner["code"]?.stringValue ?? ""
        error.status = (inner["code"]?.intValue ?? Int(error.code)).flatMap { (400...599).contains($0) ? $0 : nil }
        error.limit = inner["n_ctx"]?.intValue ?? limit(in: error.message)
        return error
    }

    /// `maximum context length is 8192 tokens`.
    private static func limit(in message: String) -> Int? {
        for lead in ["maximum context length is ", "maximum context length of "] {
            guard let range = message.firstRange(of: lead) else { continue }
            return Int(message[range.upperBound...].prefix { $0.isASCII && $0.isNumber })
        }
        return nil
    }
}

/// Turns a status and the server's words into the fault the fault table knows (engine 3.6).
enum OpenAIFault {
    static func fault(status: Int, _ error: OpenAIError, wait: Duration?, _ redaction: Redaction) -> ModelFault {
        let words = words(status, error, redaction)
        if isQuota(status, error) { return .quota }
        if isContext(status, error) { return .contextTooLong(limit: error.limit) }
        switch status {
        case 401, 403: return .auth
        case 429: return .rateLimited(retryAfter: wait)
        case 503, 529: return .overloaded(retryAfter: wait)
        case 408, 500...599: return .server(status: status)
        case 400...499 where isRefusal(error): return .refused(words)
        default: return .badRequest(words)
        }
    }

    private static func words(_ status: Int, _ error: OpenAIError, _ redaction: Redaction) -> String {
        let words = redaction.clean(error.message)
        if (300...399).contains(status) { return "status \(status): the address redirects; check OPENAI_BASE_URL" }
        if !words.isEmpty { return "status \(status): \(words)" }
        return status == 404 ? "status 404: no such model or address; check OPENAI_BASE_URL" : "status \(status)"
    }

    private static func isQuota(_ status: Int, _ error: OpenAIError) -> Bool {
        guard (400...499).contains(status) else { return false }
        if status == 402 { return true }
        let names = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"]
        if names.contains(error.code) || names.contains(error.type) { return true }
        let message = error.message.lowercased()
        return (status == 429 || status == 403)
            && ["current quota", "billing", "insufficient balance", "out of credits"].contains(where: message.contains)
    }

    private static func isContext(_ status: Int, _ error: OpenAIError) -> Bool {
        if error.code == "context_length_exceeded" || error.type == "exceed_context_size_error" { return true }
        guard [400, 413, 422, 500].contains(status) else { return false }
        let message = error.message.lowercased()
        return ["context length", "context size", "context window", "prompt is too long"].contains(
            where: message.contains
        )
    }

    private static func isRefusal(_ error: OpenAIError) -> Bool {
        ["content_filter", "content_policy_violation"].contains(error.code)
    }
}
