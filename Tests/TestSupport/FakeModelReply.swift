/// How the fake model server answers one request.
package struct FakeModelReply: Sendable {
    /// How the answer ends.
    package enum Ending: Sendable {
        /// As it should.
        case whole
        /// The connection is closed after the last piece, in the middle of the body.
        case cut
        /// Nothing more comes, and the connection stays open.
        case silence
    }

    package var status = 200
    package var headers: [(name: String, value: String)] = []
    /// Pieces of text, each in an event of its own.
    package var pieces: [String] = []
    package var finish: String? = "stop"
    /// Prompt, cached part of it, completion; nil leaves the usage out.
    package var usage: (prompt: Int, cached: Int, completion: Int)? = (12, 0, 7)
    package var saysDone = true
    /// An error event after the pieces: its type, as Anthropic names it.
    package var streamError: String?
    package var ending = Ending.whole
    /// The body as it is, instead of the pieces; with `status` 200 too.
    package var body: String?
    package var contentType = "text/event-stream"
    /// Closes the connection before anything is sent.
    package var drops = false
    /// Before the head.
    package var delay: Duration = .zero
    /// Before each piece.
    package var pace: Duration = .zero
    /// Where the whole body is cut into writes; 0 sends each event on its own.
    package var writeSize = 0
    /// Ends lines with CRLF, and sends a comment before each event.
    package var isVerbose = false

    package init() {}

    // MARK: Answers

    package static func text(_ pieces: String...) -> Self { text(pieces) }

    package static func text(_ pieces: [String]) -> Self {
        var reply = Self()
        reply.pieces = pieces
        return reply
    }

    /// A body that is no stream.
    package static func json(_ body: String, status: Int = 200) -> Self {
        var reply = Self()
        reply.status = status
        reply.body = body
        reply.contentType = "application/json"
        return reply
    }

    // MARK: Faults

    /// 429. `retryAfter` goes out as it stands: seconds, a date, or nothing.
    package static func rateLimited(retryAfter: String?) -> Self {
        var reply = json(#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#)
        reply.status = 429
        if let retryAfter { reply.headers.append(("Retry-After", retryAfter)) }
        return reply
    }

    package static func status(_ status: Int, retryAfter: String? = nil) -> Self {
        var reply = json(#"{"error":{"message":"The server had an error","type":"server_error","code":null}}"#)
        reply.status = status
        if let retryAfter { reply.headers.append(("Retry-After", retryAfter)) }
        return reply
    }

    package static let quota = json(
        #"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        status: 429
    )

    /// An error as Anthropic words it.
    package static func anthropic(_ type: String, _ message: String, status: Int, retryAfter: String? = nil) -> Self {
        var reply = json(#"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"}}"#, status: status)
        if let retryAfter { reply.headers.append(("retry-after", retryAfter)) }
        return reply
    }

    /// 401 that quotes the key back, as OpenAI does.
    package static func unauthorized(quoting key: String) -> Self {
        json(#"{"error":{"message":"Incorrect API key provided: \#(key)","code":"invalid_api_key"}}"#, status: 401)
    }

    package static let contextTooLong = json(
        """
        {"error":{"message":"This model's maximum context length is 8192 tokens. However, you requested 9000.",\
        "type":"invalid_request_error","code":"context_length_exceeded"}}
        """,
        status: 400
    )

    package static let drop = {
        var reply = Self()
        reply.drops = true
        return reply
    }()

    /// The body breaks off after these pieces.
    package static func cut(after pieces: String...) -> Self {
        var reply = text(pieces)
        reply.ending = .cut
        return reply
    }

    /// Nothing comes after these pieces.
    package static func silent(after pieces: String...) -> Self {
        var reply = text(pieces)
        reply.ending = .silence
        return reply
    }

    package static func slowFirstByte(_ delay: Duration, _ pieces: String...) -> Self {
        var reply = text(pieces)
        reply.delay = delay
        return reply
    }

    // MARK: Shades

    /// The same answer with a change.
    package func with(_ change: (inout Self) -> Void) -> Self {
        var reply = self
        change(&reply)
        return reply
    }

    package var withoutUsage: Self { with { $0.usage = nil } }
    package var withoutDone: Self { with { $0.saysDone = false } }
    package var cutAtLength: Self { with { $0.finish = "length" } }
}

extension FakeModelReply {
    /// The events of the stream, each with its blank line.
    func events(model: String) -> [String] {
        var events = pieces.map { #"{"choices":[{"index":0,"delta":{"content":"\#(Self.escaped($0))"}}]}"# }
        let isEnding = ending == .whole
        if isEnding, let finish {
            events.append(#"{"model":"\#(model)","choices":[{"index":0,"delta":{},"finish_reason":"\#(finish)"}]}"#)
        }
        if isEnding, let usage {
            let details = #""prompt_tokens_details":{"cached_tokens":\#(usage.cached)}"#
            events.append(
                #"{"choices":[],"usage":{"prompt_tokens":\#(usage.prompt),"completion_tokens":\#(usage.completion),\#(details)}}"#
            )
        }
        if isEnding, saysDone { events.append("[DONE]") }
        let lineBreak = isVerbose ? "\r\n" : "\n"
        let remark = isVerbose ? ": still here\(lineBreak)\(lineBreak)" : ""
        return events.map { "\(remark)data: \($0)\(lineBreak)\(lineBreak)" }
    }

    /// The same answer as Anthropic streams it: named events from `message_start` to `message_stop`, with a `ping` between.
    func anthropicEvents(model: String) -> [String] {
        let usage = usage
        let input = usage.map {
            #""usage":{"input_tokens":\#($0.prompt),"cache_read_input_tokens":\#($0.cached),"output_tokens":1},"#
        }
        var events = [
            (
                "message_start",
                #"{"type":"message_start","message":{"type":"message",\#(input ?? "")"model":"\#(model)","content":[]}}"#
            ),
            ("content_block_start", #"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#),
            ("ping", #"{"type":"ping"}"#),
        ]
        for piece in pieces {
            let text = Self.escaped(piece)
            events.append(
                (
                    "content_block_delta",
                    #"{"type":"content_block_delta","delta":{"type":"text_delta","text":"\#(text)"}}"#
                )
            )
        }
        if let streamError {
            events.append(("error", #"{"type":"error","error":{"type":"\#(streamError)","message":"Overloaded"}}"#))
        } else if ending == .whole {
            events.append(("content_block_stop", #"{"type":"content_block_stop","index":0}"#))
            if let finish {
                let reason = ["stop": "end_turn", "length": "max_tokens"][finish] ?? finish
                let output = usage.map { #","usage":{"output_tokens":\#($0.completion)}"# } ?? ""
                events.append(
                    ("message_delta", #"{"type":"message_delta","delta":{"stop_reason":"\#(reason)"}\#(output)}"#)
                )
            }
            if saysDone { events.append(("message_stop", #"{"type":"message_stop"}"#)) }
        }
        let lineBreak = isVerbose ? "\r\n" : "\n"
        return events.map { "event: \($0)\(lineBreak)data: \($1)\(lineBreak)\(lineBreak)" }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
