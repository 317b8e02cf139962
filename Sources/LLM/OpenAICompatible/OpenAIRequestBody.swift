import Domain
import NIOCore

/// The body of `POST /chat/completions`, written without a tree in between (OpenAI API reference, "Create chat
/// completion"). The same request gives the same bytes.
enum OpenAIRequestBody {
    static func bytes(of request: ModelRequest) -> ByteBuffer {
        let length = request.messages.reduce(512) { $0 + $1.text.utf8.count + $1.text.utf8.count / 16 + 64 }
        var body = ByteBufferAllocator().buffer(capacity: length)
        body.writeStaticString("{\"model\":")
        body.writeJSONString(request.model)
        writeMessages(request.messages, to: &body)
        body.writeStaticString(",\"stream\":true,\"stream_options\":{\"include_usage\":true}")
        writeLimits(request, to: &body)
        if let schema = request.schema { writeSchema(schema, to: &body) }
        body.writeStaticString("}")
        return body
    }

    private static func writeMessages(_ messages: [ModelRequest.Message], to body: inout ByteBuffer) {
        body.writeStaticString(",\"messages\":[")
        for (index, message) in messages.enumerated() {
            body.writeStaticString(index == 0 ? "{\"role\":\"" : ",{\"role\":\"")
            body.writeString(message.role.rawValue)
            body.writeStaticString("\",\"content\":")
            body.writeJSONString(message.text)
            body.writeStaticString("}")
        }
        body.writeStaticString("]")
    }

    private static func writeLimits(_ request: ModelRequest, to body: inout ByteBuffer) {
        let reasons = isReasoning(request.model)
        body.writeStaticString(reasons ? ",\"max_completion_tokens\":" : ",\"max_tokens\":")
        body.writeString(String(request.maxOutput))
        // Reasoning models accept no temperature but their own.
        if !reasons {
            body.writeStaticString(",\"temperature\":")
            body.writeString("\(request.temperature)")
        }
        if let seed = request.seed {
            body.writeStaticString(",\"seed\":")
            body.writeString(String(seed))
        }
    }

    private static func writeSchema(_ schema: ModelRequest.Schema, to body: inout ByteBuffer) {
        body.writeStaticString(
            ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"strict\":true,\"name\":"
        )
        body.writeJSONString(schema.name)
        body.writeStaticString(",\"schema\":")
        body.writeString(schema.schema.text)
        body.writeStaticString("}}")
    }

    /// o1, o3, o4 and the gpt-5 family count their thoughts as output and take another key for the limit.
    static func isReasoning(_ model: String) -> Bool {
        ["o1", "o3", "o4", "gpt-5"].contains { model == $0 || model.hasPrefix($0 + "-") || model.hasPrefix($0 + ".") }
    }
}
