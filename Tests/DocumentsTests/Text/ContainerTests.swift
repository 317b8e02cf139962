import Documents
import Foundation
import Testing

/// Pure readers, held against bytes that nobody meant.
@Suite("Containers")
struct ContainerTests {
    private func sample(_ name: String) async throws -> [UInt8] {
        try await Array(Data(contentsOf: URL(filePath: Samples.folder.value + "/" + name)))
    }

    /// The same sequence in each run, so that a failure can be repeated.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    @Test("A zip's directory has the names, sizes and places of its entries")
    func zip() async throws {
        let directory = try await ZipDirectory(sample("letter.odt"))
        #expect(directory.entries.map(\.name) == ["mimetype", "content.xml", "META-INF/manifest.xml"])
        #expect(directory.entries.first?.method == 0)
        #expect(directory.entries.first?.size == 39)
        try directory.check()
    }

    @Test("A comment behind a zip's directory does not hide it")
    func comment() async throws {
        var bytes = try await sample("letter.odt")
        let text = Array("PK\u{5}\u{6} a comment that looks like an end".utf8)
        bytes[bytes.count - 2] = UInt8(text.count)
        #expect(try ZipDirectory(bytes + text).entries.count == 3)
    }

    @Test("A compound file's streams are found by name")
    func compound() async throws {
        let file = try #require(try await CompoundFile(sample("old.doc")))
        #expect(file.contains("WordDocument"))
        #expect(file.head(of: "WordDocument", count: 2) == [0xDC, 0xA5])
        #expect(file.head(of: "Nothing", count: 2) == nil)
    }

    @Test(
        "No change of bytes makes a reader crash or run on",
        arguments: ["report.docx", "book.xlsx", "old.doc", "old.xls"]
    )
    func fuzz(name: String) async throws {
        let original = try await sample(name)
        var dice = Dice(state: 42)
        for _ in 0..<300 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...20, using: &dice) {
                bytes[Int.random(in: 0..<bytes.count, using: &dice)] =
                    [0, 0xFF, UInt8.random(in: 0...255, using: &dice)]
                    .randomElement(using: &dice) ?? 0
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count * 2, using: &dice)))
            try? ZipDirectory(bytes).check()
            let file = CompoundFile(bytes)
            _ = file?.head(of: "Workbook", count: 65_536)
            _ = file?.head(of: "WordDocument", count: 100)
        }
    }
}
