import Documents
import Domain
import Foundation
import Testing

@Suite("Bytes of a page as text")
struct PageDecodingTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        let set: String
        let python: String
        let text: String
        var testDescription: String { self.set }
    }

    static let samples = [
        Sample(set: "utf-8", python: "utf-8", text: "Größe, 東京, Привет"),
        Sample(set: "iso-8859-1", python: "cp1252", text: "Smørrebrød “quoted” – 5 €"),
        Sample(set: "windows-1251", python: "cp1251", text: "Отчёт о рынке электромобилей за прошлый год"),
        Sample(set: "koi8-r", python: "koi8-r", text: "Отчёт о рынке электромобилей"),
        Sample(set: "shift_jis", python: "cp932", text: "東京の市場はとても大きいです。①髙島屋"),
        Sample(set: "euc-jp", python: "euc-jp", text: "日本語のページ"),
        Sample(set: "iso-2022-jp", python: "iso-2022-jp", text: "日本語のページ"),
        Sample(set: "gb18030", python: "gb18030", text: "中国电动汽车市场报告，二〇二五年"),
        Sample(set: "gb2312", python: "gbk", text: "市场报告镕"),
        Sample(set: "big5", python: "big5", text: "電動車市場報告"),
        Sample(set: "euc-kr", python: "cp949", text: "전기차 시장 보고서"),
        Sample(set: "utf-16", python: "utf-16-le", text: "Größe 東京"),
        Sample(set: "utf-16be", python: "utf-16-be", text: "Größe 東京"),
        Sample(set: "windows-1256", python: "cp1256", text: "تقرير السوق"),
    ]

    /// The bytes as another implementation writes them.
    static func encode(_ text: String, _ set: String) throws -> [UInt8] {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [
            "-c", "import sys;sys.stdout.buffer.write(sys.stdin.buffer.read().decode().encode('\(set)'))",
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Array(bytes)
    }

    @Test("What the server names is believed", arguments: samples)
    func declared(sample: Sample) throws {
        let bytes = try Self.encode(sample.text, sample.python)
        #expect(PageDecoding.text(bytes, declared: sample.set.uppercased(), isMarkup: true) == sample.text)
    }

    @Test("What the page names is believed where the server names nothing", arguments: samples)
    func meta(sample: Sample) throws {
        guard !sample.set.hasPrefix("utf-16") else { return }
        for head in [
            "<html><head><meta charset='\(sample.set)'>",
            "<META http-equiv=Content-Type content=\"text/html; charset=\(sample.set)\">",
            "<?xml version='1.0' encoding='\(sample.set)'?><a>",
        ] {
            let bytes = try Self.encode(head + sample.text, sample.python)
            #expect(PageDecoding.text(bytes, declared: nil, isMarkup: true) == head + sample.text)
        }
    }

    @Test("A byte order mark is believed before anything else")
    func mark() throws {
        let utf8: [UInt8] = [0xEF, 0xBB, 0xBF] + Array("Größe".utf8)
        #expect(PageDecoding.text(utf8, declared: "iso-8859-1", isMarkup: true) == "Größe")
        let little: [UInt8] = [0xFF, 0xFE] + (try Self.encode("Größe", "utf-16-le"))
        #expect(PageDecoding.text(little, declared: nil, isMarkup: false) == "Größe")
        let big: [UInt8] = [0xFE, 0xFF] + (try Self.encode("Größe", "utf-16-be"))
        #expect(PageDecoding.text(big, declared: "utf-8", isMarkup: false) == "Größe")
    }

    @Test(
        "With nothing named, the bytes tell",
        arguments: ["utf-8", "iso-8859-1", "windows-1251", "shift_jis", "gb18030", "euc-kr"]
    )
    func guessed(set: String) throws {
        let sample = try #require(Self.samples.first { $0.set == set })
        let text = String(repeating: sample.text + "\n", count: 8)
        let bytes = try Self.encode(text, sample.python)
        #expect(PageDecoding.text(bytes, declared: nil, isMarkup: false) == text)
        let wide = try Self.encode("A page in UTF-16 without a mark", "utf-16-le")
        #expect(PageDecoding.text(wide, declared: nil, isMarkup: false) == "A page in UTF-16 without a mark")
    }

    @Test("Bytes that mean nothing become U+FFFD, in every character set, and nothing breaks")
    func garbage() {
        for sample in Self.samples {
            var generator = SystemRandomNumberGenerator()
            let bytes = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = PageDecoding.text(bytes, declared: sample.set, isMarkup: true)
            _ = PageDecoding.text(bytes, declared: nil, isMarkup: true)
        }
        #expect(PageDecoding.text([0x41, 0xFF, 0x42], declared: "utf-8", isMarkup: false) == "A\u{FFFD}B")
        #expect(PageDecoding.text([0x81, 0x20], declared: "shift_jis", isMarkup: false).contains("\u{FFFD}"))
        #expect(PageDecoding.text([], declared: "no such set", isMarkup: true) == "")
    }

    @Test("Other text goes through as it is, cut at a character")
    func plain() throws {
        let source = PageSource(
            bytes: Array("{\"a\": 1}\r\n\u{0}x".utf8),
            type: "application/json",
            charset: nil,
            url: "http://a.example/"
        )
        let page = try #require(WebPageReader().read(source, until: .now + .seconds(1)))
        #expect(page == PageText(title: nil, text: "{\"a\": 1}\nx", truncated: false))
        let long = String(repeating: "ä", count: 300_000)
        let cut = try #require(
            WebPageReader().read(
                PageSource(
                    bytes: Array(("x" + long).utf8),
                    type: "text/plain",
                    charset: "utf-8",
                    url: "http://a.example/"
                ),
                until: .now + .seconds(1)
            )
        )
        #expect(cut.truncated)
        #expect(cut.text.utf8.count == 511_999)
        let markdown = PageSource(
            bytes: Array("\n# Title  of it\nx".utf8),
            type: "text/markdown",
            charset: nil,
            url: ""
        )
        #expect(WebPageReader().read(markdown, until: .now)?.title == "Title of it")
    }
}
