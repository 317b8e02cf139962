import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

/// Ring 3: mails from a real fleet to a real SMTP server, and to a program that is called as sendmail is.
@Suite("Mail", .serialized)
struct MailTests {
    private let short: JSON = [["id": "a", "title": "A", "simulate": ["ms": 5, "costUsd": 0.01]]]

    @Test(
        "D-33, E-24, E-40: a mail that is put off with 451 comes later, once; headers, words and login are right",
        .enabled(if: ScriptedServer.hasPackages, "scripts/test-venv.sh installs aiosmtpd")
    )
    func smtp() async throws {
        let server = try await ScriptedServer.start(Self.smtpd, "refuse-first")
        defer { server.stop() }
        let fleet = try await FleetUnderTest(extra: [
            "GC_SMTP_URL": "smtp://crew:pass%22wo%5Crd@127.0.0.1:\(server.port)", "GC_MAIL_FROM": "crew@example.com",
        ])
        let worker = try fleet.start("worker")
        try await opened(fleet)
        let port = freePort()
        let processes = [try fleet.start("api", "--port", "\(port)"), try fleet.start("scheduler"), worker]
        let caller = try await Caller.ready(fleet, port: port)
        _ = try await caller.startRun(tasks: short)
        try await eventually(within: .seconds(60), "both mails to be taken") { server.log.count == 2 }
        try await eventually(within: .seconds(10), "both to be booked") {
            try await fleet.world.stores.emails.list(tenant: nil, limit: 9).allSatisfy { $0.status == .sent }
        }
        let mails = try await fleet.world.stores.emails.list(tenant: nil, limit: 9)
        #expect(Set(mails.map(\.template)) == ["run_started", "run_completed"])
        #expect(mails.map(\.attempts).reduce(0, +) == 3, "one was put off once")
        for mail in mails {
            let got = try #require(server.log.first { $0["Message-ID"] == "<\(mail.id)@example.com>" })
            #expect(got["to"] == mail.recipient && got["from"] == "crew@example.com" && got["user"] == "crew")
            #expect(got["password"] == #"pass"wo\rd"#)
            #expect(got["Subject"] == (mail.template == "run_started" ? "Started: Load" : "Completed: Load"))
            #expect(got["body"]?.contains("\"Load\" for Test") == true)
        }
        let shown = try await emails(fleet)
        #expect(shown.arrayValue?.count == 2 && shown.arrayValue?.allSatisfy { $0["status"] == "sent" } == true)
        #expect(!shown.text.contains("pass\\\"wo"))
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    @Test(
        "kill -9 while a mail is handed over: it comes again with the same Message-ID, and is sent once in the books",
        .enabled(if: ScriptedServer.hasPackages, "scripts/test-venv.sh installs aiosmtpd")
    )
    func killed() async throws {
        let server = try await ScriptedServer.start(Self.smtpd, "hold-first")
        defer { server.stop() }
        let fleet = try await FleetUnderTest(extra: ["GC_SMTP_URL": "smtp://127.0.0.1:\(server.port)"])
        let scheduler = try fleet.start("scheduler")
        let victim = try fleet.start("worker")
        try await opened(fleet)
        let port = freePort()
        let api = try fleet.start("api", "--port", "\(port)")
        let caller = try await Caller.ready(fleet, port: port)
        _ = try await caller.startRun(tasks: short)
        try await eventually(within: .seconds(30), "the first mail to be on its way") { !server.log.isEmpty }
        victim.signal(SIGKILL)
        let heir = try fleet.start("worker")
        try await eventually(within: .seconds(60), "all mails to be booked") {
            let mails = try await fleet.world.stores.emails.list(tenant: nil, limit: 9)
            return mails.count == 2 && mails.allSatisfy { $0.status == .sent }
        }
        let ids = server.log.compactMap { $0["Message-ID"] }
        #expect(Set(ids).count == 2 && ids.count >= 3, "\(ids)")
        for process in [scheduler, heir, api] { try await process.stop() }
        await fleet.close()
    }

    @Test("A sendmail program gets sender, receiver and mail; what it puts off is tried again, what it refuses is not")
    func sendmail() async throws {
        let folder = try await TestStack.shared().folder + "/sendmail"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let program = folder + "/sendmail"
        try Self.sendmail(in: folder).write(toFile: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let fleet = try await FleetUnderTest(extra: ["GC_SENDMAIL": program, "GC_MAIL_FROM": "crew@example.com"])
        let processes = [try fleet.start("worker"), try fleet.start("scheduler")]
        try await opened(fleet)
        let port = freePort()
        let api = try fleet.start("api", "--port", "\(port)")
        let caller = try await Caller.ready(fleet, port: port)
        _ = try await caller.startRun(tasks: short)
        try await eventually(within: .seconds(60), "one mail to be sent and one to be refused") {
            let mails = try await fleet.world.stores.emails.list(tenant: nil, limit: 9)
            return Set(mails.map(\.status)) == [.sent, .failed]
        }
        let mails = try await fleet.world.stores.emails.list(tenant: nil, limit: 9)
        let refused = try #require(mails.first { $0.status == .failed })
        #expect(refused.template == "run_completed" && refused.lastError?.contains("no such user") == true)
        #expect(mails.map(\.attempts).reduce(0, +) == 3, "one was put off once, and nothing was refused twice")
        #expect(try await fleet.world.count("kind = 'email.send' AND state = 'dead' AND dead_reason = 'refused'") == 1)
        let calls = try String(contentsOfFile: folder + "/calls", encoding: .utf8)
        #expect(calls.hasPrefix("-i -f crew@example.com -- \(mails[0].recipient)\n"))
        let text = try String(contentsOfFile: folder + "/taken", encoding: .utf8)
        #expect(text.contains("\nSubject: Started: Load\n") && !text.contains("\r"))
        for process in processes + [api] { try await process.stop() }
        await fleet.close()
    }

    @Test(
        "A worker with a wrong mail setting does not start, and does not show the password",
        arguments: [
            ["GC_SMTP_URL": "http://u:hidden@h"], ["GC_SMTP_URL": "smtp://u:hidden@h/path"],
            ["GC_SMTP_URL": "smtp://hidden@h"], ["GC_SENDMAIL": "sendmail"],
            ["GC_SMTP_URL": "smtp://h", "GC_SENDMAIL": "/bin/true"],
            ["GC_SMTP_URL": "smtp://h", "GC_MAIL_FROM": "nobody"],
        ]
    )
    func settings(extra: [String: String]) async throws {
        let fleet = try await FleetUnderTest()
        let worker = try fleet.start("worker", extra: extra)
        #expect(try await worker.end(within: .seconds(20)) == 2)
        await fleet.close()
    }

    // MARK: Helpers

    /// Mails that are written before a worker has said that it can send would stay unsent.
    private func opened(_ fleet: FleetUnderTest) async throws {
        try await eventually(within: .seconds(20), "the worker to open the outlet") {
            try await fleet.world.postgres.query("SELECT 1 FROM mail_outlet").first != nil
        }
    }

    /// `groundcrew emails --json`
    private func emails(_ fleet: FleetUnderTest) async throws -> JSON {
        let output = try await TestStack.shared().folder + "/emails-\(UUID().uuidString)"
        let binary = try Wrapped.binary(writingTo: output)
        let command = try FleetProcess(["emails", "--json"], fleet.environment.merging(binary) { $1 })
        #expect(try await command.end(within: .seconds(20)) == 0)
        return try JSON(parsing: Data(contentsOf: URL(filePath: output)))
    }

    /// Puts its first mail off with EX_TEMPFAIL, takes what is about a start, and refuses the rest.
    private static func sendmail(in folder: String) -> String {
        """
        #!/bin/sh
        echo "$@" >> \(folder)/calls
        cat > \(folder)/mail.$$
        if ! [ -e \(folder)/tried ]; then touch \(folder)/tried; echo "busy" >&2; exit 75; fi
        if grep -q '^Subject: Started' \(folder)/mail.$$; then cat \(folder)/mail.$$ >> \(folder)/taken; exit 0; fi
        echo "no such user" >&2; exit 67
        """
    }

    private static let smtpd = """
        import asyncio, email, json, sys, time
        from email import policy
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult, LoginPassword
        folder, port, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
        login = {}
        class Handler:
            first = True
            async def handle_DATA(self, server, session, envelope):
                first, Handler.first = Handler.first, False
                if first and mode == 'refuse-first': return '451 4.3.0 come back later'
                message = email.message_from_bytes(envelope.content, policy=policy.default)
                line = {'from': envelope.mail_from, 'to': envelope.rcpt_tos[0], 'body': message.get_content()}
                line |= {name: str(message[name]) for name in ('Message-ID', 'Subject', 'Date')} | login
                with open(folder + '/log', 'a') as log: log.write(json.dumps(line) + '\\n')
                if first and mode == 'hold-first': await asyncio.sleep(20)
                return '250 taken'
        def authenticate(server, session, envelope, mechanism, data):
            login.update(user=data.login.decode(), password=data.password.decode())
            return AuthResult(success=True)
        secure = dict(authenticator=authenticate, auth_require_tls=False) if mode == 'refuse-first' else {}
        Controller(Handler(), hostname='127.0.0.1', port=port, **secure).start()
        open(folder + '/log', 'a').close()
        time.sleep(3600)
        """
}

/// The binary with its output in a file. The process stays the same, so signals reach it.
enum Wrapped {
    static func binary(writingTo file: String) throws -> [String: String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        let real =
            ProcessInfo.processInfo.environment["GC_BINARY"] ?? root.appending(path: ".build/debug/groundcrew").path
        let script = file + ".sh"
        try "#!/bin/sh\nexec '\(real)' \"$@\" >> '\(file)' 2>&1\n".write(
            toFile: script,
            atomically: true,
            encoding: .utf8
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        return ["GC_BINARY": script]
    }
}
