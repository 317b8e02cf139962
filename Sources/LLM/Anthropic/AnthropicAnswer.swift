import Domain

/// A message as it comes together from `message_start`, `content_block_delta`, `message_delta` and `message_stop`; or
/// from one body.
struct AnthropicAnswer: StreamedAnswer {
    private(set) var text = ""
    private(set) var isDone = false
    private var model: String?
    private var stopReason: String?
    private var tokens = Tokens()
    /// An error the server sent after it had begun with 200.
    private var error: ProviderError?

    /// Counts of the answer so far; later events replace them.
    private struct Tokens {
        var input: Int?
        var cacheWrite = 0
        var cacheRead = 0
        var output: Int?
    }

    mutating func take(_ data: [UInt8]) -> String {
        var type = ""
        var piece = ""
        var reader = JSONReader(data)
        // What is not JSON is passed over, and so are events that are not known: more may be added to the API.
        try? reader.object { (reader, key) throws(JSONReader.Malformed) in
            switch key {
            case "type": type = try reader.string() ?? ""
            // A message is either wrapped (message_start) or the whole body.
            case "message":
                try reader.object { (reader, key) throws(JSONReader.Malformed) in
                    try member(key, of: &reader, &piece)
                }
            case "error":
                error = ProviderError.read(data)
                try reader.skip()
            default: try member(key, of: &reader, &piece)
            }
        }
        if type == "message_stop" || type == "message" { isDone = true }
        text += piece
        return piece
    }

    private mutating func member(
        _ key: String,
        of reader: inout JSONReader,
        _ piece: inout String
    ) throws(JSONReader.Malformed) {
        switch key {
        case "model": model = try reader.string() ?? model
        case "stop_reason": stopReason = try reader.string() ?? stopReason
        case "usage": try usage(&reader)
        case "delta": try delta(&reader, &piece)
        case "content":
            try reader.array { (reader, _) throws(JSONReader.Malformed) in try delta(&reader, &piece) }
        default: try reader.skip()
        }
    }

    /// A `text_delta`, the end of `message_delta`, or a block of a whole body. Thoughts and tools have no `text`.
    private mutating func delta(_ reader: inout JSONReader, _ piece: inout String) throws(JSONReader.Malformed) {
        try reader.object { (reader, key) throws(JSONReader.Malformed) in
            switch key {
            case "text": piece += try reader.string() ?? ""
            case "stop_reason": stopReason = try reader.string() ?? stopReason
            default: try reader.skip()
            }
        }
    }

    private mutating func usage(_ reader: inout JSONReader) throws(JSONReader.Malformed) {
        try reader.object { (reader, key) throws(JSONReader.Malformed) in
            switch key {
            case "input_tokens": tokens.input = try reader.int() ?? tokens.input
            case "cache_creation_input_tokens": tokens.cacheWrite = try reader.int() ?? tokens.cacheWrite
            case "cache_read_input_tokens": tokens.cacheRead = try reader.int() ?? tokens.cacheRead
            case "output_tokens": tokens.output = try reader.int() ?? tokens.output
            default: try reader.skip()
            }
        }
    }

    // MARK: The end

    var isComplete: Bool { isDone || stopReason != nil }

    /// Cached tokens come on top of `input_tokens` here, unlike elsewhere.
    private var usage: ModelUsage? {
        guard let input = tokens.input, let output = tokens.output, input >= 0, output >= 0 else { return nil }
        return ModelUsage(
            uncachedInput: input,
            cacheRead: max(0, tokens.cacheRead),
            cacheWrite: max(0, tokens.cacheWrite),
            output: output
        )
    }

    func reply(to request: ModelRequest, requestID: String?, words: ProviderWords) throws(ModelFault) -> ModelReply {
        if let error { throw words.fault(status: Self.status(of: error), error, wait: nil) }
        guard isComplete else { throw text.isEmpty ? .empty : .truncated }
        let finish = finish
        if text.isEmpty { throw finish == .filter ? .refused("the model declined to answer") : .empty }
        return ModelReply(
            text: text,
            finish: finish,
            usage: usage,
            model: model ?? request.model,
            requestID: requestID
        )
    }

    private var finish: ModelReply.Finish {
        switch stopReason {
        case "max_tokens", "model_context_window_exceeded": .length
        case "refusal": .filter
        default: .stop
        }
    }

    /// What the status would have been, had the error come before the answer (Anthropic API reference, "Errors").
    private static func status(of error: ProviderError) -> Int {
        switch error.type {
        case "overloaded_error": 529
        case "rate_limit_error": 429
        case "authentication_error": 401
        case "permission_error": 403
        case "invalid_request_error": 400
        case "timeout_error": 504
        default: 500
        }
    }
}
