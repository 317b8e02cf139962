import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

/// Secrets that callers and operators trust us with, looked for where they must not be.
@Suite("Secrets", .serialized)
struct SecretsTests {
    private static let password = "correct horse battery 1"
    private static let settings = [
        "GC_SECRET_KEY": Data((0..<32).map { UInt8($0 * 7 & 255) }).base64EncodedString(),
        "GC_SMTP_URL": "smtp://crew:smtp-password-2@127.0.0.1:9", "OPENAI_API_KEY": "sk-known-model-key-3",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "GC_MODEL": "m", "GC_UNPRICED_IS_FREE": "1",
        "GC_LOG_LEVEL": "trace", "GC_RATE_AUTH": "1000000/60", "GC_RATE_COLLECTION": "1000000/60",
        "GC_NET_ALLOW": "127.0.0.2/32", "GC_WEBHOOK_SCHEDULE": "0,0", "GC_SIGNUP": "open",
    ]

    @Test("X-3, X-15, SC-38: after a fleet was driven through, no log, no row and no error text holds a secret")
    func nowhere() async throws {
        let log = try await TestStack.shared().folder + "/secrets.log"
        let fleet = try await FleetUnderTest(extra: Self.settings.merging(try Wrapped.binary(writingTo: log)) { $1 })
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), try fleet.start("worker"),
        ]
        let caller = try await Caller.ready(fleet, port: port)
        let secrets = try await drive(fleet, caller)
        for process in processes { try await process.stop() }
        let said = try String(contentsOfFile: log, encoding: .utf8)
        let rows = try fleet.databaseDump()
        #expect(!said.isEmpty && rows.contains("CREATE TABLE"), "there is nothing to look through")
        for (name, secret) in secrets {
            #expect(!said.contains(secret), "\(name) is in a log")
            #expect(!rows.contains(secret), "\(name) is in the database")
            #expect(
                !rows.contains(secret.utf8.map { String(format: "%02x", $0) }.joined()),
                "\(name) is in the database"
            )
        }
        await fleet.close()
    }

    /// Uses every kind of secret, rightly and wrongly, and returns them by name.
    private func drive(_ fleet: FleetUnderTest, _ caller: Caller) async throws -> [String: String] {
        var secrets = [
            "password": Self.password, "SMTP password": "smtp-password-2", "model key": "sk-known-model-key-3",
            "GC_SECRET_KEY": Self.settings["GC_SECRET_KEY"] ?? "", "API key": caller.key,
        ]
        let scope = Scope.webhooksWrite.rawValue
        _ = try await fleet.world.postgres.query("UPDATE api_keys SET scopes = scopes || \([scope])::text[]")
        let person: JSON = [
            "email": "ada@crew.example", "password": .string(Self.password), "name": "Ada", "tenantName": "A",
        ]
        let browser = Browser(port: caller.port)
        let cookie = try #require(try await browser.post("/api/auth/signup", person.text).cookie)
        secrets["session"] = String(cookie.dropFirst("gc_session=".count))
        let made = try await browser.post("/api/api-keys", #"{"name":"k"}"#, ["Cookie": cookie]).body
        secrets["second API key"] = made["key"]?.stringValue
        let id = made["id"]?.stringValue ?? ""
        let again = ["Cookie": cookie, "Idempotency-Key": "once"]
        let turned = try await browser.post("/api/api-keys/\(id)/rotate", "", again).body
        secrets["rotated API key"] = turned["key"]?.stringValue
        let hook: JSON = ["url": .string("https://127.0.0.2:\(freePort())/x")]
        for name in ["webhook secret", "rotated webhook secret"] {
            let path = "/api/v1/webhook-endpoints"
            let endpoints = try await caller.call("GET", path).body["data"]?.arrayValue
            let known = endpoints?.first?["id"]?.stringValue
            let answer = try await caller.call(
                "POST",
                known.map { "\(path)/\($0)/rotate-secret" } ?? path,
                known == nil ? hook : nil
            )
            secrets[name] = answer.body["data"]?["signing_secret"]?.stringValue
        }
        try await misuse(browser, caller, secrets)
        _ = try await browser.post("/api/auth/login", person.text)
        _ = try await caller.startRun(tasks: [["id": "a", "title": "A"]])
        try await eventually(
            within: .seconds(60),
            "webhook, mail and model to have been tried",
            poll: .milliseconds(50)
        ) {
            let tried = try await fleet.world.postgres.query(
                """
                SELECT (SELECT count(*) FROM webhook_attempts) > 0 AND EXISTS (SELECT 1 FROM emails WHERE attempts > 0)
                  AND EXISTS (SELECT 1 FROM llm_calls WHERE state <> 'open')
                """
            )
            return try tried.first?.decode(Bool.self) ?? false
        }
        #expect(secrets.count == 10 && secrets.values.allSatisfy { $0.count > 10 })
        return secrets
    }

    /// Secrets in places where they do not belong.
    private func misuse(_ browser: Browser, _ caller: Caller, _ secrets: [String: String]) async throws {
        for secret in secrets.values {
            let plain = secret.filter { $0.isLetter || $0.isNumber || $0 == "_" }
            guard plain == secret else { continue }
            _ = try await caller.call("GET", "/api/engagements?key=\(secret)")
            _ = try await browser.post("/api/auth/login", #"{"email":"x","password":"\#(secret)"}"#)
            _ = try await browser.post("/api/engagements", "[\"\(secret)", ["Authorization": "Bearer \(secret)"])
            _ = try await browser.post("/api/engagements", "{}", ["Authorization": "Basic \(secret)"])
        }
    }
}

/// Posts as a browser does, without a key.
private struct Browser {
    let port: Int

    func post(
        _ path: String,
        _ body: String,
        _ headers: [String: String] = [:]
    ) async throws -> (body: JSON, cookie: String?) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .POST
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        let cookie = response.headers.first(name: "Set-Cookie")?.split(separator: ";").first.map(String.init)
        return ((try? JSON(parsing: Data(bytes.readableBytesView))) ?? .null, cookie)
    }
}
