import NIOCore
import Testing

@testable import RedisClient

struct CodecTests {
    private let wire =
        "+OK\r\n:42\r\n$-1\r\n*-1\r\n$0\r\n\r\n-WRONGTYPE no list\r\n*3\r\n:1\r\n$3\r\na\r\n\r\n*1\r\n-ERR in\r\n"

    private var expected: [RedisReply] {
        [
            .string(Array("OK".utf8)), .integer(42), .null, .null, .string([]),
            .error(.server("WRONGTYPE no list", at: "here")),
            .array([.integer(1), .string(Array("a\r\n".utf8)), .array([.error(.server("ERR in", at: "here"))])]),
        ]
    }

    private func decode(_ pieces: [[UInt8]]) -> ReplyDecoder.Decoded {
        let decoder = ReplyDecoder(address: "here")
        var all = ReplyDecoder.Decoded()
        for piece in pieces {
            let decoded = piece.withUnsafeBytes { decoder.decode($0) }
            all.replies += decoded.replies
            all.violation = all.violation ?? decoded.violation
        }
        return all
    }

    @Test("Every kind of reply is read, in one piece")
    func whole() {
        let decoded = decode([Array(wire.utf8)])
        #expect(decoded.replies == expected)
        #expect(decoded.violation == nil)
    }

    @Test("Replies that come byte by byte are the same")
    func byteByByte() {
        #expect(decode(wire.utf8.map { [$0] }).replies == expected)
    }

    @Test("Replies cut in two at any place are the same")
    func cutAnywhere() {
        let bytes = Array(wire.utf8)
        for cut in 0...bytes.count {
            #expect(decode([Array(bytes[..<cut]), Array(bytes[cut...])]).replies == expected, "cut at \(cut)")
        }
    }

    @Test("A string of any bytes survives, and has no text when it is not UTF-8")
    func binary() throws {
        let bytes = (0...255).map(UInt8.init) + [13, 10, 0]
        let decoded = decode([Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]])
        let reply = try #require(decoded.replies.first)
        #expect(reply.bytes == bytes)
        #expect(reply.string == nil)
    }

    @Test("An array of 100,000 elements and a string of 3 MB are read")
    func large() throws {
        let array = "*100000\r\n" + String(repeating: ":7\r\n", count: 100_000)
        let string = "$3000000\r\n" + String(repeating: "x", count: 3_000_000) + "\r\n"
        let decoded = decode([Array((array + string).utf8)])
        #expect(decoded.replies.first?.array?.count == 100_000)
        #expect(decoded.replies.last?.bytes?.count == 3_000_000)
    }

    @Test("Seven nested arrays are read; more, and anything that is not the protocol, is a violation")
    func violations() {
        let seven = String(repeating: "*1\r\n", count: 7) + ":1\r\n"
        #expect(decode([Array(seven.utf8)]).replies.count == 1)
        #expect(decode([Array(("*1\r\n*1\r\n" + seven).utf8)]).violation != nil)
        let web = decode([Array("+OK\r\nHTTP/1.1 400 Bad Request\r\n".utf8)])
        #expect(web.replies.count == 1)
        #expect(web.violation?.contains("Protocol error") == true)
    }

    @Test("A command is an array of bulk strings, counted in bytes")
    func encoding() {
        var buffer = ByteBuffer()
        CommandEncoder.encode(["SET", "ключ", "", "a\r\nb\0c"], into: &buffer)
        let expected = "*4\r\n$3\r\nSET\r\n$8\r\nключ\r\n$0\r\n\r\n$6\r\na\r\nb\0c\r\n"
        #expect(Array(buffer.readableBytesView) == Array(expected.utf8))
        CommandEncoder.encode([""], into: &buffer)
        #expect(Array(buffer.readableBytesView) == Array((expected + "*1\r\n$0\r\n\r\n").utf8))
    }

    @Test("A reply gives its value in the form that is asked for, or nil")
    func values() {
        #expect(RedisReply.string(Array("12".utf8)).integer == 12)
        #expect(RedisReply.string(Array("twelve".utf8)).integer == nil)
        #expect(RedisReply.string(Array("-inf".utf8)).double == -.infinity)
        #expect(RedisReply.integer(3).string == nil)
        #expect(RedisReply.array([.null]).array == [.null])
        #expect(RedisReply.null.isNull)
    }
}
