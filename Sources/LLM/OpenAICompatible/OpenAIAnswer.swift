import Domain

/// An answer as it comes together: from the pieces of a stream, or from one body where the server does not stream.
struct OpenAIAnswer: StreamedAnswer {
    private(set) var text = ""
    private(set) var model: String?
    private(set) var finish: String?
    private(set) var usage: ModelUsage?
    /// An error the server sent after it had begun with 200.
    private(set) var error: ProviderError?
    /// The stream said `[DONE]`.
    private(set) var isDone = false

    /// Takes one event, or the whole body.
    ///
    /// - Returns: the text it adds; empty for events that carry none.
    mutating func take(_ data: [UInt8]) -> String {
        if data.count == 6, data.elementsEqual("[DONE]".utf8) {
            isDone = true
            return ""
        }
        var piece = ""
        var reader = JSONReader(data)
        // What is not JSON is passed over: some servers send remarks as data.
        try? reader.object { (reader, key) throws(JSONReader.Malformed) in
            switch key {
            case "choices": try choices(&reader, &piece)
            case "model": model = try reader.string() ?? model
            case "usage": try usage(&reader)
            case "error":
                error = ProviderError.read(data)
                try reader.skip()
            default: try reader.skip()
            }
        }
        text += piece
        return piece
    }

    private mutating func choices(_ reader: inout JSONReader, _ piece: inout String) throws(JSONReader.Malformed) {
        try reader.array { (reader, position) throws(JSONReader.Malformed) in
            guard position == 0 else { return try reader.skip() }
            try reader.object { (reader, key) throws(JSONReader.Malformed) in
                switch key {
                case "delta", "message": try content(&reader, &piece)
                case "finish_reason": finish = try reader.string() ?? finish
                default: try reader.skip()
                }
            }
        }
    }

    private func content(_ reader: inout JSONReader, _ piece: inout String) throws(JSONReader.Malformed) {
        try reader.object { (reader, key) throws(JSONReader.Malformed) in
            if key == "content" {
                if let text = try reader.string() { piece += text }
            } else {
                try reader.skip()
            }
        }
    }

    /// Cached tokens are part of `prompt_tokens` here, unlike elsewhere.
    private mutating func usage(_ reader: inout JSONReader) throws(JSONReader.Malformed) {
        var prompt: Int?
        var completion: Int?
        var cached = 0
        var reasoning = 0
        try reader.object { (reader, key) throws(JSONReader.Malformed) in
            switch key {
            case "prompt_tokens": prompt = try reader.int()
            case "completion_tokens": completion = try reader.int()
            case "prompt_tokens_details": cached = try Self.detail("cached_tokens", &reader)
            case "completion_tokens_details": reasoning = try Self.detail("reasoning_tokens", &reader)
            default: try reader.skip()
            }
        }
        guard let prompt, let completion, prompt >= 0, completion >= 0 else { return }
        cached = min(max(cached, 0), prompt)
        usage = ModelUsage(
            uncachedInput: prompt - cached,
            cacheRead: cached,
            output: completion,
            reasoning: min(max(reasoning, 0), completion)
        )
    }

    private static func detail(_ name: String, _ reader: inout JSONReader) throws(JSONReader.Malformed) -> Int {
        var value = 0
        try reader.object { (reader, key) throws(JSONReader.Malformed) in
            if key == name { value = try reader.int() ?? 0 } else { try reader.skip() }
        }
        return value
    }

    // MARK: The end

    /// Whether the server brought the answer to its end, whatever came of the connection afterwards.
    var isComplete: Bool { isDone || finish != nil }

    /// The reply, once the stream or the body is over.
    func reply(to request: ModelRequest, requestID: String?, words: ProviderWords) throws(ModelFault) -> ModelReply {
        if let error { throw words.fault(status: error.status ?? 500, error, wait: nil) }
        guard isComplete else { throw text.isEmpty ? .empty : .truncated }
        let finish = Self.finish(finish)
        if text.isEmpty { throw finish == .filter ? .refused("the provider's content filter") : .empty }
        return ModelReply(
            text: text,
            finish: finish,
            usage: usage,
            model: model ?? request.model,
            requestID: requestID
        )
    }

    private static func finish(_ word: String?) -> ModelReply.Finish {
        switch word {
        case "length": .length
        case "content_filter": .filter
        default: .stop
        }
    }
}
