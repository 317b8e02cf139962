import Domain
import Testing

/// Real tools, over small documents of each type.
@Suite("Text out of files")
struct FileTextExtractorTests {
    @Test("A PDF gives paragraphs with their pages")
    func pdf() async throws {
        let text = try await Samples.text("paper.pdf")
        #expect(text.lines == ["p p1: First page\ngoes on", "p p1: After a gap", "p p2: Second page"])
    }

    @Test("A PDF of drawings alone is empty")
    func scan() async throws {
        #expect(try await Samples.text("scan.pdf") == ExtractedText(status: .empty))
    }

    @Test("A Word document gives headings, paragraphs and tables")
    func docx() async throws {
        let text = try await Samples.text("report.docx")
        #expect(text.lines == ["h1: Market", "p: It grows by 5 %.", "t: Year | Units\n2025 | 42"])
    }

    @Test("A workbook gives its sheets by name, in tables of at most fifty rows that repeat the first")
    func xlsx() async throws {
        let text = try await Samples.text("book.xlsx")
        #expect(text.blocks.map(\.sheet) == ["North, east", "North, east", "North, east", "South"])
        let sizes = text.blocks.map { $0.text.split(separator: "\n").count }
        #expect(sizes == [50, 50, 22, 1])
        for block in text.blocks.prefix(3) { #expect(block.text.hasPrefix("Name | 1\nGröße | ")) }
        #expect(text.blocks.last?.text == "x | y")
    }

    @Test("A text with several formats that lies in its cell is read whole")
    func runs() async throws {
        #expect(try await Samples.text("runs.xlsx").blocks.map(\.text) == ["Regular Bold & more | plain"])
    }

    @Test("Slides come in the order of the show, each with its notes")
    func pptx() async throws {
        let text = try await Samples.text("talk.pptx")
        #expect(
            text.lines == [
                "h2 p1: Welcome", "p p1: First point", "h2 p2: Numbers", "t p2: one | two", "p p2: Say it slowly",
            ]
        )
    }

    @Test("OpenDocument text, sheets and slides are read, and repeated emptiness is passed over")
    func openDocument() async throws {
        #expect(try await Samples.text("letter.odt").lines == ["h2: Offer", "p: Dear  Sir\nwe offer"])
        #expect(
            try await Samples.text("sheet.ods").lines == ["t [Costs]: rent | rent | 7", "t [Sales]: sold | sold | 7"]
        )
        let show = try await Samples.text("show.odp")
        #expect(show.lines == ["h2 p1: Plan", "p p1: Begin", "p p1: aside", "h2 p2: End", "p p2: Thanks", "p p2: bow"])
    }

    @Test("Office files of before 2007 are read, with the letters of Western Europe")
    func legacy() async throws {
        #expect(try await Samples.text("old.doc").lines == ["p: Old words, naïve", "p: Second paragraph"])
        #expect(try await Samples.text("old.xls").lines == ["t [Köln]: City | Sum\nKöln | 12"])
        #expect(try await Samples.text("old.ppt").lines == ["p p1: An old slide"])
    }

    @Test("Rich text and drawings give their words")
    func others() async throws {
        #expect(try await Samples.text("memo.rtf").lines == ["p: Memo", "p: Café and €and more"])
        #expect(try await Samples.text("drawing.svg").lines == ["p: Flow", "p: Step one"])
    }

    @Test("A page gives its text in the character set it declares, and neither scripts nor styles")
    func html() async throws {
        let text = try await Samples.text("page.html")
        #expect(
            text.lines == ["h1: T", "h2: Пр", "p: a & b", "p: item", "t: k | v\n1 | 2", "c: x\n  y"]
        )
    }

    @Test("Markdown gives headings, code and tables with the words as they were written")
    func markdown() async throws {
        let source = """
            ---
            source: https://a.b
            ---
            # One #
            *soft* words
            in two lines

            Two
            ---
            ```swift
            # no heading
            ```
            | a | b \\| c |
            |---|:-:|
            | 1 | 2 |
            ####### no heading
            """
        let text = try await Samples.text(Array(source.utf8), as: "notes.md")
        #expect(
            text.lines == [
                "c: source: https://a.b", "h1: One", "p: *soft* words\nin two lines", "h2: Two", "c: # no heading",
                "t: a | b \\| c\n1 | 2\n####### no heading",
            ]
        )
    }

    @Test(
        "The delimiter of CSV is the one that it uses",
        arguments: ["a,b\n\"x\n,\"\"y\",2\n", "a;b\n\"x ;\"\"y\";2,5\n", "a\tb\n1\t2,5\n", "a|b\n1|2\n"]
    )
    func csv(source: String) async throws {
        let text = try await Samples.text(Array(source.utf8), as: "data.CSV")
        let table = try #require(text.blocks.first)
        #expect(table.text.hasPrefix("a | b\n"))
        #expect(table.text.split(separator: "\n").count == 2)
    }

    @Test("Text is read in UTF-8, UTF-16 with and without its mark, and Windows-1252")
    func characterSets() async throws {
        let words = "Größe – naïve €"
        let wide = words.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let western: [UInt8] =
            Array("Gr".utf8) + [0xF6, 0xDF, 0x65, 0x20, 0x96, 0x20] + Array("na".utf8) + [0xEF]
            + Array("ve ".utf8) + [0x80]
        for bytes in [Array(words.utf8), [0xEF, 0xBB, 0xBF] + Array(words.utf8), [0xFF, 0xFE] + wide, wide, western] {
            #expect(try await Samples.text(bytes, as: "a.txt").lines == ["p: \(words)"])
        }
    }

    @Test("Text is kept as NFC, without control characters and with one kind of line")
    func clean() async throws {
        let text = try await Samples.text(Array("e\u{301}a\u{1B}b\r\nc\u{85}d\u{FEFF}e\u{2028}f  ".utf8), as: "a.txt")
        #expect(text.blocks.first.map { Array($0.text.unicodeScalars) } == Array("éab\nc\nde\nf".unicodeScalars))
    }

    @Test("JSON and YAML are listings, also in one endless line")
    func listings() async throws {
        #expect(try await Samples.text(Array("a: 1\nb:\n  - 2\n".utf8), as: "a.yml").lines == ["c: a: 1\nb:\n  - 2"])
        let line = "[" + (0..<3000).map(String.init).joined(separator: ",") + "]"
        let text = try await Samples.text(Array(line.utf8), as: "a.json")
        #expect(text.blocks.count > 2)
        #expect(text.blocks.allSatisfy { $0.kind == .code && $0.text.utf8.count <= 4000 })
        #expect(text.blocks.map(\.text).joined() == line)
    }

    @Test("Text beyond two million characters is cut, and that is said")
    func long() async throws {
        let text = try await Samples.text(Array(repeating: UInt8(ascii: "x"), count: 2_100_000), as: "a.txt")
        #expect(text.truncated)
        #expect(text.blocks.reduce(0) { $0 + $1.text.unicodeScalars.count } == 2_000_000)
    }

    @Test(
        "What has no text is binary, what is nothing is empty",
        arguments: [
            ("a.png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], TextStatus.binary),
            ("a.JPEG", [0xFF, 0xD8, 0xFF, 0xE0], .binary), ("a.zip", [0x50, 0x4B, 0x05, 0x06], .binary),
            ("a.txt", [], .empty), ("a.md", [0x0A, 0x20], .empty), ("noname", [0x41], .binary), ("a.pdf", [], .broken),
        ] as [(String, [UInt8], TextStatus)]
    )
    func settled(name: String, bytes: [UInt8], status: TextStatus) async throws {
        #expect(try await Samples.text(bytes, as: name) == ExtractedText(status: status))
    }
}
