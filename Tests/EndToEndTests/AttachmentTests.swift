import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import PostgresClient
import TestSupport
import Testing

/// Files through real processes: what memory they take, and what is left when one is killed.
@Suite("Attachments of a fleet", .serialized)
struct AttachmentTests {
    private static let boundary = "e2eboundary"

    private static let opening =
        "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"

    /// A form with a file of so many pieces of 64 KiB; it may stop before its end.
    private struct Form: AsyncSequence, Sendable {
        typealias Element = ByteBuffer
        let pieces: Int
        var stallsAt: Int?

        struct AsyncIterator: AsyncIteratorProtocol {
            let form: Form
            var index = -1

            mutating func next() async throws -> ByteBuffer? {
                defer { index += 1 }
                if index == form.stallsAt { try await Task.sleep(for: .seconds(60)) }
                switch index {
                case -1: return ByteBuffer(string: AttachmentTests.opening)
                case form.pieces: return ByteBuffer(string: "\r\n--\(AttachmentTests.boundary)--\r\n")
                case form.pieces...: return nil
                default: return ByteBuffer(repeating: 0x61, count: 65_536)
                }
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(form: self) }
    }

    private func upload(_ caller: Caller, _ id: String, _ form: Form) async throws -> (status: Int, body: JSON) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(caller.port)/api/engagements/\(id)/attachments")
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(caller.key)")
        request.headers.add(name: "Content-Type", value: "multipart/form-data; boundary=\(Self.boundary)")
        request.body = .stream(form, length: .unknown)
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return (Int(response.status.code), (try? JSON(parsing: Data(bytes.readableBytesView))) ?? .null)
    }

    /// The process that listens on a port, by its command line.
    private func process(port: Int) throws -> String {
        for id in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(id) != nil {
            let line = (try? Data(contentsOf: URL(filePath: "/proc/\(id)/cmdline"))) ?? Data()
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            if words.first?.hasSuffix("groundcrew") == true, words.suffix(2) == ["--port", "\(port)"] { return id }
        }
        throw NeverHappened(description: "no process with --port \(port)")
    }

    /// In KiB: `VmRSS`, or `VmHWM`, its highest since it was reset.
    private func memory(_ id: String, _ field: String) throws -> Int {
        let status = try String(contentsOf: URL(filePath: "/proc/\(id)/status"), encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    private func folder() async throws -> String {
        try await TestStack.shared().folder + "/e2e-\(UInt32.random(in: 0 ... .max))"
    }

    private func files(_ folder: String) -> [String] {
        ((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []).filter { $0.count > 20 }
    }

    private func create(_ caller: Caller) async throws -> String {
        let draft: JSON = ["name": "Files", "client": "Test", "brief": "Test the files.", "budget": 5]
        return try await caller.call("POST", "/api/engagements", draft).body["id"]?.stringValue ?? ""
    }

    @Test("A-14, J-16: a file of 100 MB takes at most 16 MiB of the API's memory, and a worker removes its bytes")
    func memoryAndRemoval() async throws {
        let folder = try await folder()
        let fleet = try await FleetUnderTest(extra: ["GC_STORAGE_URL": "file://\(folder)"])
        let port = freePort()
        let processes = [try fleet.start("worker"), try fleet.start("api", "--port", "\(port)")]
        let caller = try await Caller.ready(fleet, port: port)
        let id = try await create(caller)
        // Whatever is loaded and allocated once is not the upload's.
        let warm = try await upload(caller, id, Form(pieces: 160))
        #expect(warm.status == 201, "\(warm.body.text)")
        let api = try process(port: port)
        let before = try memory(api, "VmRSS")
        try Data("5".utf8).write(to: URL(filePath: "/proc/\(api)/clear_refs"))
        let made = try await upload(caller, id, Form(pieces: 1600))
        #expect(made.status == 201, "\(made.body.text)")
        #expect(made.body["attachment"]?["sizeBytes"] == .integer(100 << 20))
        let growth = try memory(api, "VmHWM") - before
        #expect(growth <= 16 << 10, "\(growth) KiB")
        #expect(files(folder).count == 2)
        let attachment = try #require(made.body["attachment"]?["id"]?.stringValue)
        #expect(try await caller.call("DELETE", "/api/engagements/\(id)/attachments/\(attachment)").status == 200)
        try await eventually(within: .seconds(20), "a worker to remove the bytes") { files(folder).count == 1 }
        #expect(try await caller.call("DELETE", "/api/engagements/\(id)").status == 200)
        try await eventually(within: .seconds(20), "a worker to remove all bytes") { files(folder).isEmpty }
        try await eventually(within: .seconds(10), "the rows of the blobs to go") {
            try await fleet.world.postgres.query("SELECT 1 FROM blobs").first == nil
        }
        for process in processes { try await process.stop() }
        await fleet.close()
    }

    @Test("C-9: what an API that was killed in the middle of an upload has left is swept an hour later")
    func killed() async throws {
        let folder = try await folder()
        let fleet = try await FleetUnderTest(extra: ["GC_STORAGE_URL": "file://\(folder)"])
        let port = freePort()
        let api = try fleet.start("api", "--port", "\(port)")
        let worker = try fleet.start("worker")
        let caller = try await Caller.ready(fleet, port: port)
        let id = try await create(caller)
        async let broken = try? upload(caller, id, Form(pieces: 100, stallsAt: 50))
        try await eventually(within: .seconds(20), "half of the file to be stored") { files(folder).count == 1 }
        api.signal(SIGKILL)
        #expect(await broken == nil)
        #expect(files(folder).count == 1)
        _ = try await fleet.world.postgres.query("UPDATE blobs SET created_at = now() - interval '61 minutes'")
        let scheduler = try fleet.start("scheduler")
        try await eventually(within: .seconds(20), "the sweep and a worker to remove the bytes") {
            files(folder).isEmpty
        }
        try await eventually(within: .seconds(10), "the row of the blob to go") {
            try await fleet.world.postgres.query("SELECT 1 FROM blobs").first == nil
        }
        for process in [scheduler, worker] { try await process.stop() }
        await fleet.close()
    }

    @Test("Without GC_STORAGE_URL an upload is 503, and everything else works")
    func noStore() async throws {
        let fleet = try await FleetUnderTest()
        let port = freePort()
        let api = try fleet.start("api", "--port", "\(port)")
        let caller = try await Caller.ready(fleet, port: port)
        let id = try await create(caller)
        #expect(try await upload(caller, id, Form(pieces: 1)).status == 503)
        let list = try await caller.call("GET", "/api/engagements/\(id)/attachments")
        #expect(list.status == 200 && list.body == ["attachments": []])
        try await api.stop()
        await fleet.close()
    }
}
