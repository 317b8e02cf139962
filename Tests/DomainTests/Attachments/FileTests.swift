import Testing

@testable import Domain

@Suite("Names and kinds of files")
struct FileTests {
    @Test("A-6, A-7: every extension has its media type, in any case; any other, or none, is refused")
    func types() {
        #expect(FileType(filename: "A.DOCX")?.mimeType.hasSuffix("wordprocessingml.document") == true)
        #expect(FileType.allCases.count == 24)
        for name in ["a.exe", "a.js", "a", "a.tar.gz", "a.", ""] { #expect(FileType(filename: name) == nil, "\(name)") }
    }

    @Test(
        "A-13: a label has no folders, controls, turned writing or leading dots, and 255 bytes at most",
        arguments: [
            ("../../etc/pä ss\u{0}.md", "pä ss.md"), (#"C:\temp\a.pdf"#, "a.pdf"), ("a\r\n\"b.txt", "a\"b.txt"),
            ("evil\u{202E}fdp.md", "evilfdp.md"), ("...hidden.md", "hidden.md"), (".md", "md"), ("", "file"),
            ("  b.csv  ", "b.csv"), ("/", "file"), ("a/", "a"),
        ]
    )
    func labels(sent: String, label: String) {
        #expect(FileLabel(sent).text == label)
    }

    @Test("A-13, A-24: long names are cut before their extension, on a character, and numbered ones too")
    func long() {
        let label = FileLabel(String(repeating: "ä", count: 300) + ".pdf")
        #expect(label.text.utf8.count <= 255 && label.text.hasSuffix("ä.pdf"))
        let numbered = label.numbered(12)
        #expect(numbered.text.utf8.count <= 255 && numbered.text.hasSuffix("ä_12.pdf"))
        #expect(FileLabel("a.md").unique(among: ["a.md", "a_1.md"]).text == "a_2.md")
        #expect(FileLabel("a.md").unique(among: []).text == "a.md")
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("A-8: a file that is something else than its name says is recognised, and its kind is named")
    func contents() {
        let zip = [0x50, 0x4B, 0x03, 0x04] + bytes("....[Content_Types].xml")
        let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0]
        let compound: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
        let right: [(FileType, [UInt8])] = [
            (.pdf, bytes("%PDF-1.7")), (.pdf, [0] + bytes("junk%PDF-1.4")), (.docx, zip), (.zip, zip), (.odt, zip),
            (.png, png), (.jpg, [0xFF, 0xD8, 0xFF, 0xE0]), (.doc, compound), (.doc, bytes(#"{\rtf1"#)),
            (.xls, compound),
            (.csv, bytes("a,b\n")), (.txt, [0xFF, 0xFE, 0x41, 0]), (.svg, bytes("\u{FEFF} <svg/>")),
            (.json, bytes("{}")),
        ]
        for (type, head) in right { #expect(type.mismatch(head: head, tail: head) == nil, "\(type)") }
        #expect(FileType.pdf.mismatch(head: png, tail: []) == "a PNG image")
        #expect(FileType.docx.mismatch(head: Array(zip.prefix(8)), tail: []) == "a zip archive")
        #expect(FileType.docx.mismatch(head: Array(zip.prefix(8)), tail: zip) == nil)
        #expect(FileType.txt.mismatch(head: [0x7F, 0x45, 0x4C, 0x46], tail: []) == "a program")
        #expect(FileType.md.mismatch(head: [1, 0, 2], tail: []) == "binary data of another kind")
        #expect(FileType.svg.mismatch(head: bytes("hello"), tail: []) == "text")
        #expect(FileType.png.mismatch(head: bytes("<html>"), tail: []) == "text")
    }

    @Test("A-16: no name can end the header that carries it, and other letters come in UTF-8")
    func disposition() {
        #expect(ContentDisposition.attachment("a b.pdf") == "attachment; filename=\"a b.pdf\"")
        let hostile = ContentDisposition.attachment("ä\"\r\nSet-Cookie: x\\.pdf")
        #expect(hostile.hasPrefix("attachment; filename=\"____Set-Cookie: x_.pdf\"; filename*=UTF-8''%C3%A4%22%0D%0A"))
        #expect(!hostile.contains("\r") && !hostile.contains("\n"))
    }
}
