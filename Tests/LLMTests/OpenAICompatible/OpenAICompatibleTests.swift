import AsyncHTTPClient
import Domain
import Foundation
import LLM
import Synchronization
import TestSupport
import Testing

/// The provider against a scripted server on a real socket: engine F1 to F8 and F11, as far as one call shows them.
@Suite("The OpenAI-compatible provider, on a real socket")
struct OpenAICompatibleTests {
    private static let key = "sk-test-0123456789abcdef"

    private let request = ModelRequest(
        model: "test-model",
        messages: [
            ModelRequest.Message(.system, "Be brief."), ModelRequest.Message(.user, "Say \"hello\"\n\u{1F600}"),
        ],
        maxOutput: 50
    )

    private var call: ProviderCall {
        ProviderCall(key: Self.key, request: request) { server, limits, client in
            let configuration = OpenAIConfiguration(baseURL: server.baseURL, apiKey: Self.key, limits: limits)
            return try OpenAICompatible(configuration, client: client)
        }
    }

    @Test("A streamed answer arrives in pieces and whole, with its usage; the request says what was asked")
    func streams() async throws {
        try await FakeModelServer.with(.text("Hel", "lo ", "\u{1F600}")) { server in
            let pieces = Mutex<[String]>([])
            let reply = try await call(server) { piece in pieces.withLock { $0.append(piece) } }.get()
            #expect(reply.text == "Hello \u{1F600}" && pieces.withLock { $0.joined() } == reply.text)
            #expect(reply.finish == .stop && reply.usage == ModelUsage(uncachedInput: 12, output: 7))
            let seen = try #require(server.requests.first)
            let body = try JSON(parsing: Data(seen.body.utf8))
            #expect(seen.path == "/v1/chat/completions" && seen.headers["authorization"] == "Bearer \(Self.key)")
            #expect(body["model"]?.stringValue == "test-model" && body["stream"]?.boolValue == true)
            #expect(body["stream_options"]?["include_usage"]?.boolValue == true)
            #expect(body["messages"]?.arrayValue?.last?["content"]?.stringValue == request.messages.last?.text)
        }
    }

    @Test(
        "What servers leave out or add is borne: usage, [DONE], comments and CRLF, cached tokens, a body that is no stream",
        arguments: [
            FakeModelReply.text("Hello").withoutUsage, .text("Hello").withoutDone,
            .text("Hello").with { $0.isVerbose = true }, .text("Hello").with { $0.usage = (10, 4, 2) },
            .text("Hel", "lo").with { $0.writeSize = 1 }, .text("Hello").with { $0.finish = nil },
            .json(#"{"model":"m","choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}"#),
        ]
    )
    func tolerates(reply: FakeModelReply) async throws {
        try await FakeModelServer.with(reply) { server in
            let answer = try await call(server).get()
            #expect(answer.text == "Hello")
            if reply.usage?.cached == 4 {
                #expect(answer.usage == ModelUsage(uncachedInput: 6, cacheRead: 4, output: 2))
            }
        }
    }

    @Test("What is left of the key's rates is read from the headers; what is no number is as good as not there")
    func allowance() async throws {
        let reply = FakeModelReply.text("Hello").with {
            $0.headers = [("x-ratelimit-remaining-requests", "many"), ("x-ratelimit-remaining-tokens", "-3")]
        }
        try await FakeModelServer.with(reply) { server in
            let allowance = try await call(server).get().allowance
            #expect(allowance == ModelAllowance(tokens: 0))
        }
    }

    @Test("An answer cut at its length says so")
    func length() async throws {
        try await FakeModelServer.with(.text("Hello").cutAtLength) { server in
            let reply = try await call(server).get()
            #expect(reply.finish == .length)
        }
    }

    @Test("F1 to F5: statuses become the faults of the table, in one request each")
    func statuses() async throws {
        #expect(try await call.fault(of: .rateLimited(retryAfter: "3")) == .rateLimited(retryAfter: .seconds(3)))
        #expect(try await call.fault(of: .rateLimited(retryAfter: nil)) == .rateLimited(retryAfter: nil))
        #expect(try await call.fault(of: .quota) == .quota)
        #expect(try await call.fault(of: .status(500)) == .server(status: 500))
        #expect(try await call.fault(of: .status(408)) == .server(status: 408))
        #expect(try await call.fault(of: .status(503, retryAfter: "2")) == .overloaded(retryAfter: .seconds(2)))
        #expect(try await call.fault(of: .status(529)) == .overloaded(retryAfter: nil))
        #expect(try await call.fault(of: .contextTooLong) == .contextTooLong(limit: 8192))
        #expect(try await call.fault(of: .unauthorized(quoting: Self.key)) == .auth)
        guard
            case .badRequest(let words)? = try await call.fault(of: .json(#"{"detail":"no such model"}"#, status: 404))
        else {
            Issue.record("404 is no bad request")
            return
        }
        #expect(words == "status 404: no such model")
    }

    @Test("F6: a connection that drops, a body that breaks off and an answer without text are told apart")
    func broken() async throws {
        guard case .network? = try await call.fault(of: .drop) else {
            Issue.record("a dropped connection is no network fault")
            return
        }
        #expect(try await call.fault(of: .cut(after: "Hel")) == .truncated)
        #expect(try await call.fault(of: .text("")) == .empty)
        #expect(
            try await call.fault(
                of: .text("Hello").with {
                    $0.finish = nil; $0.saysDone = false
                }
            ) == .truncated
        )
    }

    @Test("F7: each limit ends the call: first byte, silence, total, size")
    func limits() async throws {
        let short = ModelLimits(firstByte: .milliseconds(200), silence: .milliseconds(200), total: .seconds(5))
        #expect(try await call.fault(of: .slowFirstByte(.seconds(20), "x"), limits: short) == .timeout(.firstByte))
        #expect(try await call.fault(of: .silent(after: "Hel"), limits: short) == .timeout(.silence))
        let drip = FakeModelReply.text([String](repeating: "x", count: 200)).with { $0.pace = .milliseconds(100) }
        #expect(try await call.fault(of: drip, limits: ModelLimits(total: .milliseconds(500))) == .timeout(.total))
        let long = FakeModelReply.text([String](repeating: "word ", count: 500))
        guard case .invalidOutput? = try await call.fault(of: long, limits: ModelLimits(responseBytes: 2_000)) else {
            Issue.record("an endless answer was accepted")
            return
        }
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

    @Test("Calls one after the other share a connection")
    func keepsAlive() async throws {
        try await FakeModelServer.with { server in
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton,
                configuration: ModelLimits().clientConfiguration
            )
            let provider = try OpenAICompatible(
                OpenAIConfiguration(baseURL: server.baseURL, apiKey: nil),
                client: client
            )
            for _ in 0..<5 { _ = try await provider.complete(request, onText: { _ in }) }
            #expect(server.requestCount == 5 && server.connectionCount == 1)
            #expect(server.requests.allSatisfy { $0.headers["authorization"] == nil })
            try await client.shutdown()
        }
    }

    @Test(
        "A wrong address or key is refused by name, without its value",
        arguments: ["http://user:secret@host/v1", "nonsense", "http://host/v1?key=secret"]
    )
    func configuration(url: String) async throws {
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        do {
            _ = try OpenAICompatible(OpenAIConfiguration(baseURL: url, apiKey: nil), client: client)
            Issue.record("\(url) was accepted")
        } catch {
            #expect("\(error)".contains("OPENAI_BASE_URL") && !"\(error)".contains("secret"))
        }
        #expect(throws: ModelConfigurationFault.self) { () throws in
            _ = try OpenAICompatible(OpenAIConfiguration(apiKey: "two words"), client: client)
        }
        try await client.shutdown()
    }
}
