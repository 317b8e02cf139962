import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport

/// Where a storm's webhooks go: an HTTPS server in a child process that writes every post down before it answers.
final class Sink: Sendable {
    private let process: ChildProcess
    private let folder: String
    /// What seals the endpoint's secret; the fleet is given the same.
    private let secret = (0..<32).map { _ in UInt8.random(in: 0 ... .max) }

    private var certificate: String { folder + "/cert.pem" }
    private var log: String { folder + "/posts" }

    /// - Parameter folder: exists, and goes with the storm.
    static func start(in folder: String) async throws -> Sink {
        let sink = try Sink(folder + "/sink")
        let deadline = ContinuousClock.now + .seconds(10)
        while sink.port == nil {
            guard ContinuousClock.now < deadline else { throw ChaosError.noSink }
            try await Task.sleep(for: .milliseconds(20))
        }
        return sink
    }

    private init(_ folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let make =
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
            + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem"]
        _ = try ChildProcess.run("openssl", make)
        process = try ChildProcess("/usr/bin/python3", ["-c", Self.server, folder])
    }

    func stop() { process.signal(SIGKILL) }

    private var port: Int? {
        (try? String(contentsOfFile: folder + "/port", encoding: .utf8)).flatMap { Int($0) }
    }

    /// What the fleet must be told.
    var environment: [String: String] {
        [
            "GC_SECRET_KEY": Data(secret).base64EncodedString(), "GC_NET_ALLOW": "127.0.0.1/32",
            "GC_WEBHOOK_CA_FILE": certificate, "GC_WEBHOOK_SCHEDULE": "0,0,1,1,1,2,2,2,3,3,3,3,3,3,3",
        ]
    }

    /// Registers the sink for all events of the caller's tenant.
    func register(_ key: String, _ stores: Stores) async throws {
        guard let port, let caller = try await stores.accounts.caller(key: key) else { throw ChaosError.noSink }
        _ = try await stores.webhooks.create(
            url: "https://127.0.0.1:\(port)/events",
            events: ["*"],
            secret: WebhookStore.newSecret(),
            sealer: Sealer.webhooks(secret),
            for: caller
        )
    }

    /// What arrived: for each delivery the ids under which it came, one for each time.
    func posts() -> [String: [String]] {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let pairs = text.split(separator: "\n").compactMap { line -> (String, String)? in
            let words = line.split(separator: " ")
            return words.count == 2 ? (String(words[0]), String(words[1])) : nil
        }
        return Dictionary(grouping: pairs, by: \.0).mapValues { $0.map(\.1) }
    }

    private static let server = """
        import http.server, os, ssl, sys, threading, time
        folder, lock, parent = sys.argv[1], threading.Lock(), os.getppid()
        def watch():
            while os.getppid() == parent: time.sleep(1)
            os._exit(0)
        threading.Thread(target=watch, daemon=True).start()
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get('content-length', 0)))
                line = self.headers['x-groundtruth-delivery'] + ' ' + self.headers['webhook-id']
                with lock, open(folder + '/posts', 'a') as log: log.write(line + '\\n')
                self.send_response(200)
                self.send_header('Content-Length', '2')
                self.end_headers()
                self.wfile.write(b'ok')
            def log_message(self, *arguments): pass
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + '/cert.pem', folder + '/key.pem')
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        with open(folder + '/port.new', 'w') as file: file.write(str(server.server_address[1]))
        os.rename(folder + '/port.new', folder + '/port')
        server.serve_forever()
        """
}
