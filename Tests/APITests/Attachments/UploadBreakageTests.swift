import Domain
import Foundation
import PostgresClient
import TestSupport
import Testing

@testable import API

/// Uploads that never come to their end.
@Suite("Uploads that break", .serialized)
struct UploadBreakageTests {
    /// A connection on which a test says exactly what it wants.
    private final class Wire: Sendable {
        let socket: Int32

        init(port: Int) throws {
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(connected == 0)
            var limit = timeval(tv_sec: 30, tv_usec: 0)
            setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit { close(socket) }

        /// False when the other side has gone.
        @discardableResult
        func send(_ bytes: [UInt8]) -> Bool {
            var rest = bytes[...]
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes {
                    Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard sent > 0 else { return false }
                rest = rest.dropFirst(sent)
            }
            return true
        }

        func send(_ text: String) { send(Array(text.utf8)) }

        /// An answer whose body is a JSON object, or what came of it before the other side closed or was silent for 30 s.
        func receive() -> String {
            var text = ""
            var buffer = [UInt8](repeating: 0, count: 4096)
            while !text.hasSuffix("}") {
                let got = recv(socket, &buffer, buffer.count, 0)
                guard got > 0 else { break }
                text += String(decoding: buffer[..<got], as: UTF8.self)
            }
            return text
        }
    }

    private func head(_ house: FileHouse, _ id: String, length: Int) -> String {
        "POST /api/engagements/\(id)/attachments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(house.key)\r\n"
            + "Content-Type: multipart/form-data; boundary=\(FileHouse.boundary)\r\nContent-Length: \(length)\r\n\r\n"
    }

    private static let partHead = Array(
        "--\(FileHouse.boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n".utf8
    )

    @Test("A-10: a connection that breaks in the middle of the file leaves nothing")
    func brokenConnection() async throws {
        try await FileHouse.run { house in
            let id = try await house.engagement()
            var wire: Wire? = try Wire(port: house.port)
            wire?.send(head(house, id, length: 9 << 20))
            wire?.send(Self.partHead + [UInt8](repeating: 0x61, count: 4 << 20))
            try await eventually(within: .seconds(10), "half of the file to be in the store") {
                try !house.files().isEmpty
            }
            wire = nil
            try await eventually(within: .seconds(10), "everything to be gone") {
                try await house.count("SELECT count(*) FROM blobs") == 0
            }
            try await house.expectNothing("broken connection")
        }
    }

    @Test("7.1: a client that drips its body is cut with 408, and leaves nothing")
    func slow() async throws {
        let pace = BodyPace(grace: .milliseconds(400), bytesPerSecond: 1024, total: .seconds(60))
        try await FileHouse.run(pace: pace) { house in
            let id = try await house.engagement()
            let wire = try Wire(port: house.port)
            wire.send(head(house, id, length: 1 << 20))
            wire.send(Self.partHead)
            wire.send("a")
            let answer = wire.receive()
            #expect(answer.hasPrefix("HTTP/1.1 408"), "\(answer)")
            #expect(answer.contains("The body came too slowly"))
            try await house.expectNothing("slow")
        }
    }

    @Test("A-14: a chunked body over its limit is refused when the limit is passed, not at its end")
    func endless() async throws {
        try await FileHouse.run(plan: .starter) { house in
            let id = try await house.engagement()
            let wire = try Wire(port: house.port)
            wire.send(
                head(house, id, length: 0).replacing("Content-Length: 0", with: "Transfer-Encoding: chunked")
            )
            let piece = [UInt8](repeating: 0x61, count: 64 << 10)
            func send(_ bytes: [UInt8]) {
                wire.send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10])
            }
            send(Self.partHead)
            // 10 MB and 128 KiB; nothing ends the body.
            for _ in 0..<162 { send(piece) }
            let answer = wire.receive()
            #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
            #expect(answer.contains("File exceeds size limit (10 MB)"))
            #expect(answer.lowercased().contains("connection: close"))
            try await house.expectNothing("endless")
        }
    }

    @Test("A-14: a body that announces too much is refused before it is read")
    func announced() async throws {
        try await FileHouse.run(plan: .starter) { house in
            let id = try await house.engagement()
            let wire = try Wire(port: house.port)
            wire.send(head(house, id, length: 1 << 40))
            let answer = wire.receive()
            #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
        }
    }
}
