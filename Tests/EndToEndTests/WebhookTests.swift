import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

/// Ring 3: webhooks from a real fleet to a real TLS receiver.
@Suite("Webhooks", .serialized)
struct WebhookTests {
    @Test(
        "T-21, T-23, SC-31: a run's events arrive signed, a failed one again with the same id and bytes, beside a hanging endpoint"
    )
    func delivered() async throws {
        let receiver = try await WebhookReceiver.start()
        defer { receiver.stop() }
        let fleet = try await FleetUnderTest(
            extra: [
                "GC_SECRET_KEY": Data(repeating: 7, count: 32).base64EncodedString(),
                "GC_NET_ALLOW": "127.0.0.2/32", "GC_WEBHOOK_CA_FILE": receiver.certificate,
                "GC_WEBHOOK_SCHEDULE": "0,0,0",
            ]
        )
        let port = freePort()
        let processes = [
            try fleet.start("api", "--port", "\(port)"), try fleet.start("worker"), try fleet.start("scheduler"),
        ]
        let caller = try await Caller.ready(fleet, port: port)
        let scopes = Scope.webhooksWrite.rawValue
        _ = try await fleet.world.postgres.query("UPDATE api_keys SET scopes = scopes || \([scopes])::text[]")
        let base = "https://127.0.0.2:\(receiver.port)"
        var secrets: [String: String] = [:]
        for path in ["/ok", "/flaky", "/hang", "/redirect"] {
            let wish: JSON = ["url": .string(base + path), "events": ["engagement.started", "engagement.completed"]]
            let made = try await caller.call("POST", "/api/v1/webhook-endpoints", wish)
            #expect(made.status == 201, "\(made.body.text)")
            secrets[path] = made.body["data"]?["signing_secret"]?.stringValue
        }
        let private1 = try await caller.call("POST", "/api/v1/webhook-endpoints", ["url": "https://127.0.0.1/x"])
        #expect(private1.status == 400)
        #expect(private1.body["error"]?["code"] == "validation_error")
        let twice = try await caller.call("POST", "/api/v1/webhook-endpoints", ["url": .string(base + "/ok")])
        #expect(twice.status == 409)
        _ = try await caller.startRun(tasks: [["id": "a", "title": "A", "simulate": ["ms": 5, "costUsd": 0.01]]])
        try await eventually(within: .seconds(12), "both events at /ok and two attempts of each at /flaky") {
            receiver.posts("/ok").count == 2 && receiver.posts("/flaky").count == 4
        }
        let types = Set(receiver.posts("/ok").compactMap { $0["x-groundtruth-event"] })
        #expect(types == ["engagement.started", "engagement.completed"])
        for path in ["/ok", "/flaky"] {
            for post in receiver.posts(path) {
                let secret = try #require(secrets[path])
                #expect(try Self.hmac(post["body"] ?? "", secret, receiver) == post["x-groundtruth-signature"])
                #expect(post["webhook-signature"]?.hasPrefix("v1,") == true)
            }
        }
        for (_, attempts) in Dictionary(grouping: receiver.posts("/flaky"), by: { $0["webhook-id"] ?? "" }) {
            #expect(attempts.count == 2)
            #expect(Set(attempts.map { $0["body"] }).count == 1)
            #expect(Set(attempts.map { $0["x-groundtruth-delivery"] }).count == 1)
        }
        #expect(receiver.posts("/elsewhere").isEmpty)
        for process in processes { process.signal(SIGKILL) }
        await fleet.close()
    }

    /// What the documented verify function computes, by another implementation.
    private static func hmac(_ body: String, _ secret: String, _ receiver: WebhookReceiver) throws -> String {
        let script = "import hmac,sys;print(hmac.new(sys.argv[1].encode(),sys.argv[2].encode(),'sha256').hexdigest())"
        return try receiver.run("python3", ["-c", script, secret, body]).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// An HTTPS server on 127.0.0.2 in a child process; it writes every post down as a line of JSON.
final class WebhookReceiver: Sendable {
    private let process: ChildProcess
    private let folder: URL
    let port = freePort()

    var certificate: String { folder.appending(path: "cert.pem").path }
    var log: URL { folder.appending(path: "log") }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "hooks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let subject = ["-subj", "/CN=127.0.0.2", "-addext", "subjectAltName=IP:127.0.0.2"]
        let certificate = folder.appending(path: "cert.pem").path
        let files = ["-keyout", folder.appending(path: "key.pem").path, "-out", certificate]
        let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"] + subject + files
        _ = try ChildProcess.run("openssl", make)
        // No wrapper that could die alone, and no output of ours that it could keep open.
        process = try ChildProcess("/usr/bin/python3", ["-c", Self.server, folder.path, "\(port)"])
    }

    static func start() async throws -> WebhookReceiver {
        let receiver = try WebhookReceiver()
        try await eventually(within: .seconds(10), "the receiver to listen") {
            FileManager.default.fileExists(atPath: receiver.log.path)
        }
        return receiver
    }

    /// From now on `/down/…` answers 200; until then 503.
    func repair() throws { try Data().write(to: folder.appending(path: "up")) }

    func stop() {
        process.signal(SIGKILL)
        try? FileManager.default.removeItem(at: folder)
    }

    /// Headers in lower case, and `body`.
    func posts(_ path: String) -> [[String: String]] {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n")
            .compactMap { try? JSONDecoder().decode([String: String].self, from: Data($0.utf8)) }
            .filter { $0["path"] == path }
    }

    func run(_ program: String, _ arguments: [String]) throws -> String {
        try ChildProcess.run(program, arguments).text
    }

    private static let server = """
        import http.server, json, os, ssl, sys, threading, time
        folder, port = sys.argv[1], int(sys.argv[2])
        seen, tries, lock = set(), {}, threading.Lock()
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get('content-length', 0))).decode()
                post = {k.lower(): v for k, v in self.headers.items()}
                post |= {'path': self.path, 'body': body, 'at': str(time.time())}
                with lock:
                    with open(folder + '/log', 'a') as log: log.write(json.dumps(post) + '\\n')
                    first = post['webhook-id'] not in seen if self.path == '/flaky' else False
                    if self.path == '/flaky': seen.add(post['webhook-id'])
                if self.path == '/hang': time.sleep(60)
                if self.path == '/slow':
                    time.sleep(0.5)
                    with lock:
                        with open(folder + '/log', 'a') as log: log.write(json.dumps({'path': '/slow/end'}) + '\\n')
                said = int(self.path[8:]) if self.path.startswith('/status/') else 200
                if self.path.startswith('/recovers/'):
                    with lock: tries[post['webhook-id']] = tries.get(post['webhook-id'], 0) + 1
                    said = 500 if tries[post['webhook-id']] <= 2 else 200
                    if tries[post['webhook-id']] == 3: time.sleep(20)
                if self.path.startswith('/down/') and not os.path.exists(folder + '/up'): said = 503
                self.send_response(500 if first else 302 if self.path == '/redirect' else said)
                if self.path == '/redirect': self.send_header('Location', '/elsewhere')
                self.send_header('Content-Length', '2')
                self.end_headers()
                self.wfile.write(b'ok')
            def log_message(self, *arguments): pass
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + '/cert.pem', folder + '/key.pem')
        server = http.server.ThreadingHTTPServer(('127.0.0.2', port), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        open(folder + '/log', 'a').close()
        server.serve_forever()
        """
}
