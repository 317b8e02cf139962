import NIOCore
import Testing

@testable import API

@Suite("Multipart forms")
struct MultipartParserTests {
    /// What a body says, its data put together.
    private struct Read: Equatable {
        var parts: [MultipartHeaders] = []
        var data: [String] = []
        var isOver = false
    }

    private func read(_ pieces: [[UInt8]], boundary: String = "b") throws -> Read {
        var parser = MultipartParser(boundary: boundary)
        var read = Read()
        for piece in pieces {
            parser.feed(ByteBuffer(bytes: piece))
            while let event = try parser.next() {
                switch event {
                case .part(let headers):
                    read.parts.append(headers)
                    read.data.append("")
                case .data(let buffer): read.data[read.data.count - 1] += String(buffer: buffer)
                case .endOfPart: break
                case .end: read.isOver = true
                }
            }
        }
        return read
    }

    private let body = Array(
        """
        preamble\r\n--b \t\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nX: y\r\n\r\n\
        one\r\n--\r\n-b\r\n--c\r\r\n\r\n--b\r\ncontent-disposition: form-data; name=category\r\n\r\ndata\r\n--b\r\n\
        Content-Disposition: form-data; name="empty"\r\n\r\n\r\n--b\r\n\
        Content-Disposition: form-data; name="bare"\r\n\r\n--b--\r\nepilogue --b--
        """.utf8
    )

    private let expected = [
        MultipartHeaders(name: "file", filename: "a.txt"), MultipartHeaders(name: "category", filename: nil),
        MultipartHeaders(name: "empty", filename: nil), MultipartHeaders(name: "bare", filename: nil),
    ]

    @Test("RFC 2046: preamble, epilogue, blanks behind a boundary, near misses, and parts without a body")
    func whole() throws {
        let read = try read([body])
        #expect(read.parts == expected)
        #expect(read.data == ["one\r\n--\r\n-b\r\n--c\r\r\n", "data", "", ""])
        #expect(read.isOver)
    }

    @Test("Cut at any two places, or into single bytes, it says the same")
    func cuts() throws {
        let whole = try read([body])
        for first in body.indices {
            #expect(try read([Array(body[..<first]), Array(body[first...])]) == whole, "\(first)")
            for second in stride(from: first, to: body.count, by: 7) {
                let pieces = [Array(body[..<first]), Array(body[first..<second]), Array(body[second...])]
                guard try read(pieces) == whole else {
                    Issue.record("cut at \(first) and \(second)")
                    return
                }
            }
        }
        #expect(try read(body.map { [$0] }) == whole)
    }

    @Test("Every byte before the closing boundary's last dash leaves it unfinished")
    func unfinished() throws {
        let end = body.count - "\r\nepilogue --b--".utf8.count
        for length in 0..<end { #expect(try !read([Array(body[..<length])]).isOver, "\(length)") }
        #expect(try read([Array(body[..<end])]).isOver)
    }

    @Test(
        "What is malformed is refused",
        arguments: [
            "--bad\r\n", "--b\r\nno colon\r\n\r\n", "--b\r\nX: y\r\n\r\n", "--b\r\n\r\n",
            "--b\r\nContent-Disposition: form-data\r\n\r\n", "--b\r\nContent-Disposition: attachment; name=a\r\n\r\n",
            "--b\r\nA: b\r\n folded\r\n\r\n", "--b" + String(repeating: " ", count: 400) + "\r\n",
            "--b\r\nA: " + String(repeating: "x", count: 9000),
        ]
    )
    func malformed(text: String) {
        #expect(throws: MultipartFault.self) { _ = try read([Array(text.utf8)]) }
    }

    @Test("Names of files as browsers and curl write them")
    func filenames() throws {
        let names = [
            (#"filename="a.txt""#, "a.txt"), (#"filename="a\"b\\c.txt""#, #"a"b\c.txt"#), ("filename=a.txt", "a.txt"),
            (#"filename="a%22b.txt""#, "a\"b.txt"), (#"filename="C:\dir\a.txt""#, #"C:\dir\a.txt"#),
            (#"filename="a;b.txt"; x=y"#, "a;b.txt"), ("filename*=UTF-8''%C3%A4.txt", "ä.txt"),
            (#"FileName="ä.txt""#, "ä.txt"), (#"filename="""#, ""),
        ]
        for (text, name) in names {
            let headers = try MultipartHeaders("\r\nContent-Disposition: form-data; name=\"file\"; \(text)")
            #expect(headers.filename == name, "\(text)")
            #expect(headers.name == "file")
        }
    }
}
