import AsyncHTTPClient
import Domain
import Foundation
import LLM
import Synchronization
import TestSupport
import Testing

/// The Messages API against a scripted server on a real socket, as far as one call shows it.
@Suite("Anthropic's API, on a real socket")
struct AnthropicTests {
    private static let key = "sk-ant-test-0123456789abcdef"

    private let request = ModelRequest(
        model: "claude-haiku-4-5",
        messages: [
            ModelRequest.Message(.system, "Be brief."), ModelRequest.Message(.user, "Say \"hello\"\n\u{1F600}"),
        ],
        maxOutput: 50
    )

    private var call: ProviderCall {
        ProviderCall(key: Self.key, request: request) { server, limits, client in
            let configuration = AnthropicConfiguration(baseURL: server.anthropicURL, apiKey: Self.key, limits: limits)
            return try Anthropic(configuration, client: client)
        }
    }

    @Test("A streamed message arrives in pieces and whole; system, limit, version and key go where the API wants them")
    func streams() async throws {
        try await FakeModelServer.with(.text("Hel", "lo ", "\u{1F600}")) { server in
            let pieces = Mutex<[String]>([])
            let reply = try await call(server) { piece in pieces.withLock { $0.append(piece) } }.get()
            #expect(reply.text == "Hello \u{1F600}" && pieces.withLock { $0.joined() } == reply.text)
            #expect(reply.finish == .stop && reply.model == "fake-model-1")
            let seen = try #require(server.requests.first)
            let body = try JSON(parsing: Data(seen.body.utf8))
            #expect(seen.path == "/v1/messages" && seen.headers["x-api-key"] == Self.key)
            #expect(seen.headers["anthropic-version"] == "2023-06-01" && seen.headers["authorization"] == nil)
            #expect(body["max_tokens"]?.intValue == 50 && body["stream"]?.boolValue == true)
            let system = body["system"]?.arrayValue ?? []
            #expect(system.count == 1 && system[0]["text"] == "Be brief.")
            #expect(system[0]["cache_control"]?["type"] == "ephemeral")
            let messages = body["messages"]?.arrayValue ?? []
            #expect(messages.count == 1 && messages[0]["role"] == "user")
            #expect(messages[0]["content"]?.stringValue == request.messages.last?.text)
        }
    }

    @Test("Cached tokens come on top of the input, and the last count of output holds")
    func usage() async throws {
        try await FakeModelServer.with(.text("Hello").with { $0.usage = (3, 12_304, 550) }) { server in
            let reply = try await call(server).get()
            #expect(reply.usage == ModelUsage(uncachedInput: 3, cacheRead: 12_304, output: 550))
        }
    }

    @Test(
        "What gateways leave out or add is borne: usage, message_stop, CRLF, bytes one by one, a body that is no stream",
        arguments: [
            FakeModelReply.text("Hello").withoutUsage, .text("Hello").withoutDone,
            .text("Hello").with { $0.isVerbose = true }, .text("Hel", "lo").with { $0.writeSize = 1 },
            .json(
                """
                {"type":"message","model":"m","content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}],\
                "stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}
                """
            ),
        ]
    )
    func tolerates(reply: FakeModelReply) async throws {
        try await FakeModelServer.with(reply) { server in
            let answer = try await call(server).get()
            #expect(answer.text == "Hello" && answer.finish == .stop)
        }
    }

    @Test("What is left of the key's rates is read from the headers, and nothing where they say nothing of use")
    func allowance() async throws {
        let reply = FakeModelReply.text("Hello").with {
            $0.headers = [
                ("anthropic-ratelimit-requests-remaining", "49"), ("anthropic-ratelimit-tokens-remaining", "39000"),
            ]
        }
        try await FakeModelServer.with(reply) { server in
            let allowance = try await call(server).get().allowance
            #expect(allowance == ModelAllowance(requests: 49, tokens: 39_000))
        }
        try await FakeModelServer.with { server in
            let allowance = try await call(server).get().allowance
            #expect(allowance == nil)
        }
    }

    @Test("A form is asked for in words, in the system prompt")
    func schema() async throws {
        try await FakeModelServer.with { server in
            var asking = request
            asking.schema = ModelRequest.Schema(name: "q", schema: ["type": "object"])
            _ = try await call(server, request: asking).get()
            let body = try JSON(parsing: Data(try #require(server.requests.first).body.utf8))
            let system = body["system"]?.arrayValue ?? []
            #expect(system.count == 2 && system[1]["text"]?.stringValue?.contains(#"{"type":"object"}"#) == true)
        }
    }

    @Test("F6: an answer cut at its length says so, and one that was refused has no text")
    func endings() async throws {
        try await FakeModelServer.with(.text("Hello").cutAtLength) { server in
            let reply = try await call(server).get()
            #expect(reply.finish == .length)
        }
        guard case .refused? = try await call.fault(of: .text([]).with { $0.finish = "refusal" }) else {
            Issue.record("a refusal was taken for an answer")
            return
        }
    }

    @Test("F1 to F5: statuses become the faults of the table, in one request each")
    func statuses() async throws {
        let limited = FakeModelReply.anthropic("rate_limit_error", "Slow down", status: 429, retryAfter: "3")
        #expect(try await call.fault(of: limited) == .rateLimited(retryAfter: .seconds(3)))
        let overloaded = FakeModelReply.anthropic("overloaded_error", "Overloaded", status: 529)
        #expect(try await call.fault(of: overloaded) == .overloaded(retryAfter: nil))
        #expect(try await call.fault(of: .anthropic("api_error", "Oops", status: 500)) == .server(status: 500))
        #expect(try await call.fault(of: .anthropic("timeout_error", "Late", status: 504)) == .server(status: 504))
        let poor = FakeModelReply.anthropic("invalid_request_error", "Your credit balance is too low", status: 400)
        #expect(try await call.fault(of: poor) == .quota)
        let long = FakeModelReply.anthropic(
            "invalid_request_error",
            "prompt is too long: 208310 tokens > 200000 maximum",
            status: 400
        )
        #expect(try await call.fault(of: long) == .contextTooLong(limit: 200_000))
        let large = FakeModelReply.anthropic("request_too_large", "Too large", status: 413)
        #expect(try await call.fault(of: large) == .contextTooLong(limit: nil))
        let key = FakeModelReply.anthropic("authentication_error", "invalid x-api-key \(Self.key)", status: 401)
        #expect(try await call.fault(of: key) == .auth)
        let forbidden = try await call.fault(of: .anthropic("permission_error", "No", status: 403))
        guard case .badRequest(let words) = forbidden else {
            Issue.record("one model that is not ours to use must not stop all others: \(forbidden)")
            return
        }
        #expect(words.contains("No"))
        let wrong = FakeModelReply.anthropic("invalid_request_error", "bad \(Self.key)", status: 400)
        #expect(try await call.fault(of: wrong) == .badRequest("status 400: bad [key]"))
        guard case .badRequest? = try await call.fault(of: .anthropic("not_found_error", "model: x", status: 404))
        else {
            Issue.record("404 is no bad request")
            return
        }
    }

    @Test("F6: an error in the middle of the stream is that error, and a broken stream is told apart from an empty one")
    func broken() async throws {
        let overloaded = FakeModelReply.text("Hel").with { $0.streamError = "overloaded_error" }
        #expect(try await call.fault(of: overloaded) == .overloaded(retryAfter: nil))
        let oops = FakeModelReply.text("Hel").with { $0.streamError = "api_error" }
        #expect(try await call.fault(of: oops) == .server(status: 500))
        guard case .network? = try await call.fault(of: .drop) else {
            Issue.record("a dropped connection is no network fault")
            return
        }
        #expect(try await call.fault(of: .cut(after: "Hel")) == .truncated)
        #expect(try await call.fault(of: .text("")) == .empty)
        let unfinished = FakeModelReply.text("Hello").with {
            $0.finish = nil
            $0.saysDone = false
        }
        #expect(try await call.fault(of: unfinished) == .truncated)
        let nonsense = FakeModelReply.json("data: {\"type\":\n\n").with { $0.contentType = "text/event-stream" }
        #expect(try await call.fault(of: nonsense) == .empty)
    }

    @Test("F7: each limit ends the call: first byte, silence, total")
    func limits() async throws {
        let short = ModelLimits(firstByte: .milliseconds(200), silence: .milliseconds(200), total: .seconds(5))
        #expect(try await call.fault(of: .slowFirstByte(.seconds(20), "x"), limits: short) == .timeout(.firstByte))
        #expect(try await call.fault(of: .silent(after: "Hel"), limits: short) == .timeout(.silence))
        let drip = FakeModelReply.text([String](repeating: "x", count: 200)).with { $0.pace = .milliseconds(100) }
        #expect(try await call.fault(of: drip, limits: ModelLimits(total: .milliseconds(500))) == .timeout(.total))
    }

    @Test("F11: cancelling closes the socket at once and says how much had come")
    func cancels() async throws {
        try await FakeModelServer.with(.silent(after: "Hello")) { server in
            let heard = Mutex(false)
            let task = Task { try await call(server) { _ in heard.withLock { $0 = true } } }
            try await eventually(within: .seconds(10), "the first piece") { heard.withLock { $0 } }
            task.cancel()
            let result = try await task.value
            #expect(result == .failure(.cancelled(partialOutputBytes: 5)))
            try await eventually(within: .seconds(5), "the closed socket") { server.hangUps.count == 1 }
        }
    }

    @Test(
        "A wrong address or key is refused by name, without its value",
        arguments: ["http://user:secret@host", "nonsense", "http://host?key=secret"]
    )
    func configuration(url: String) async throws {
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        do {
            _ = try Anthropic(AnthropicConfiguration(baseURL: url, apiKey: nil), client: client)
            Issue.record("\(url) was accepted")
        } catch {
            #expect("\(error)".contains("ANTHROPIC_BASE_URL") && !"\(error)".contains("secret"))
        }
        #expect(throws: ModelConfigurationFault.self) { () throws in
            _ = try Anthropic(AnthropicConfiguration(apiKey: "two words"), client: client)
        }
        try await client.shutdown()
    }

    @Test("The address may carry the version or not", arguments: ["", "/", "/v1", "/v1/"])
    func address(suffix: String) async throws {
        try await FakeModelServer.with { server in
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton,
                configuration: ModelLimits().clientConfiguration
            )
            let configuration = AnthropicConfiguration(baseURL: server.anthropicURL + suffix, apiKey: nil)
            _ = try await Anthropic(configuration, client: client).complete(request, onText: { _ in })
            #expect(server.requests.first?.path == "/v1/messages")
            #expect(server.requests.first?.headers["x-api-key"] == nil)
            try await client.shutdown()
        }
    }
}
