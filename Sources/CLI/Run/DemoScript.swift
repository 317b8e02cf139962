import ArgumentParser
import AsyncHTTPClient
import Domain
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Calls the API as any program would.
struct DemoCaller: Sendable {
    let port: Int
    let key: String

    func call(_ method: String, _ path: String, body: JSON? = nil) async throws -> JSON {
        try await send(method, path, body.map { ByteBuffer(string: $0.text) }, type: "application/json")
    }

    /// - Throws: ``CommandEnd`` with what the API said, where it did not say 2xx.
    func send(_ method: String, _ path: String, _ body: ByteBuffer?, type: String) async throws -> JSON {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .init(rawValue: method)
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(body)
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let answer = try await response.body.collect(upTo: 16 << 20)
        let json = try JSON(parsing: Data(answer.readableBytesView))
        guard (200..<300).contains(response.status.code) else {
            throw CommandEnd(
                .failed,
                "\(method) \(path) answered \(response.status.code): \(json["error"]?.stringValue ?? json.text)"
            )
        }
        return json
    }

    /// A file of at most 32 MiB; nil where the answer is anything but 200.
    func file(_ path: String) async throws -> [UInt8]? {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 32 << 20)
        return response.status == .ok ? Array(body.readableBytesView) : nil
    }
}

/// What the demo does and shows.
struct DemoScript: Sendable {
    let caller: DemoCaller
    let brief: Brief
    let out: String

    func play() async throws {
        let draft: JSON = [
            "name": .string(brief.name), "client": .string(brief.client), "brief": .string(brief.text),
            "budget": .number(brief.budget),
        ]
        let engagement = try await caller.call("POST", "/api/engagements", body: draft)
        let path = "/api/engagements/\(engagement["id"]?.stringValue ?? "")"
        Terminal.say("POST /api/engagements → \(engagement["id"]?.stringValue ?? "")")
        try await upload(to: path)
        let started = try await caller.call("POST", path + "/run")
        Terminal.say("POST \(path)/run → run \(started["runId"]?.stringValue ?? "")\n")
        let status = try await follow(path)
        let detail = try await caller.call("GET", path)
        try write(detail)
        try await writePDF(path, slug: detail["slug"]?.stringValue ?? "engagement")
        guard status["status"]?.stringValue == "completed" else {
            throw CommandEnd(
                .no,
                "The run \(status["status"]?.stringValue ?? "?"): \(status["error"]?.stringValue ?? "")"
            )
        }
    }

    /// The report beside the documents. Without Typst the demo does without.
    private func writePDF(_ path: String, slug: String) async throws {
        guard let bytes = try await caller.file(path + "/export/pdf?include_provenance=true") else {
            return Terminal.say("No PDF: docs/pdf.md says what it needs.")
        }
        let file = URL(filePath: out).appending(path: slug).appending(path: "\(slug)-report.pdf")
        try Data(bytes).write(to: file)
        Terminal.say("The report is \(Terminal.paint("\(out)/\(slug)/\(file.lastPathComponent)", .bold))")
    }

    /// Shows log lines as they come, until the run has ended.
    private func follow(_ path: String) async throws -> JSON {
        var shown = 0
        let deadline = ContinuousClock.now + .seconds(900)
        while ContinuousClock.now < deadline {
            // Status first: a log read after the last status has every line.
            let status = try await caller.call("GET", path + "/status")
            let page = try await caller.call("GET", path + "/logs?offset=\(shown)")
            for line in page["logs"]?.arrayValue ?? [] { Terminal.say(Self.paint(line.stringValue ?? "")) }
            shown += page["logs"]?.arrayValue?.count ?? 0
            let word = status["status"]?.stringValue ?? ""
            if word == "completed" || word == "failed" {
                let cost = status["estimated_cost"]?.doubleValue ?? 0
                let colour: Terminal.Colour = word == "completed" ? .green : .red
                Terminal.say(
                    "\n\(Terminal.paint(word, colour)), \(status["steps"]?.intValue ?? 0) steps, $\(cost) of $\(brief.budget) spent\n"
                )
                return status
            }
            // Two reads each time, of 300 a minute.
            try await Task.sleep(for: .milliseconds(450))
        }
        throw CommandEnd(.no, "The run did not end within 15 minutes.")
    }

    private static func paint(_ line: String) -> String {
        guard let open = line.firstIndex(of: "["), let close = line.firstIndex(of: "]") else { return line }
        let agent = Terminal.paint(String(line[open...close]), .blue)
        return Terminal.paint(String(line[..<open]), .dim) + agent + line[line.index(after: close)...]
    }

    /// The newest version of each document, and a table of them.
    private func write(_ detail: JSON) throws {
        let folder = URL(filePath: out).appending(path: detail["slug"]?.stringValue ?? "engagement")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var rows: [[String]] = []
        for document in detail["deliverables"]?.arrayValue ?? [] {
            guard let name = document["filename"]?.stringValue, let content = document["content"]?.stringValue else {
                continue
            }
            let file = folder.appending(path: name)
            try Data(content.utf8).write(to: file)
            rows.append(["\(document["wordCount"]?.intValue ?? 0)", "v\(document["version"]?.intValue ?? 1)", name])
        }
        rows.sort { $0[2] < $1[2] }
        Terminal.say(Terminal.table(["WORDS", "VERSION", "DOCUMENT"], rows, right: [0]))
        Terminal.say("\nThe documents are in \(Terminal.paint("\(out)/\(folder.lastPathComponent)/", .bold))")
    }
}
