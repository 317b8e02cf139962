import Domain
import NIOCore

/// The body of `POST /v1/messages`, written without a tree in between. The same request gives the same bytes.
enum AnthropicRequestBody {
    static func bytes(of request: ModelRequest) -> ByteBuffer {
        let length = request.messages.reduce(512) { $0 + $1.text.utf8.count + $1.text.utf8.count / 16 + 64 }
        var body = ByteBufferAllocator().buffer(capacity: length)
        body.writeStaticString("{\"model\":")
        body.writeJSONString(request.model)
        body.writeStaticString(",\"max_tokens\":")
        body.writeString(String(request.maxOutput))
        body.writeStaticString(",\"stream\":true,\"temperature\":")
        body.writeString("\(min(max(request.temperature, 0), 1))")
        writeSystem(request, to: &body)
        writeMessages(request.messages.filter { $0.role != .system && !$0.text.isEmpty }, to: &body)
        body.writeStaticString("}")
        return body
    }

    /// The system prompt is a field of its own here. Its last block is marked for the provider's cache: it is the same for
    /// every task of a run.
    private static func writeSystem(_ request: ModelRequest, to body: inout ByteBuffer) {
        var blocks = request.messages.filter { $0.role == .system && !$0.text.isEmpty }.map(\.text)
        if let schema = request.schema { blocks.append(form(schema)) }
        guard !blocks.isEmpty else { return }
        body.writeStaticString(",\"system\":[")
        for (index, text) in blocks.enumerated() {
            body.writeStaticString(index == 0 ? "{\"type\":\"text\",\"text\":" : ",{\"type\":\"text\",\"text\":")
            body.writeJSONString(text)
            if index == blocks.count - 1 {
                body.writeStaticString(",\"cache_control\":{\"type\":\"ephemeral\"}")
            }
            body.writeStaticString("}")
        }
        body.writeStaticString("]")
    }

    /// The form of an answer is asked for in words, which every model of the family understands; it is validated anyway.
    private static func form(_ schema: ModelRequest.Schema) -> String {
        "Answer with one JSON object and nothing else. It must follow this JSON Schema: \(schema.schema.text)"
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
}
