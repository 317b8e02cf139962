import Domain
import Foundation
import Testing

@Suite("A tenant's colour and logo")
struct BrandTests {
    @Test("E-56: a colour is # and six hexadecimal digits, in any case")
    func colors() throws {
        #expect(try BrandColor("#1F4e79").hex == "#1f4e79")
        for text in ["", "#", "1f4e79", "#1f4e7", "#1f4e799", "#1f4e7g", "red", "#１f4e79", "#1f4e7\u{301}"] {
            #expect(throws: BrandFault.self, "\(text)") { try BrandColor(text) }
        }
    }

    @Test(
        "Text in any colour can be read on white; a dark one stays as it is",
        arguments: ["#ffffff", "#ffb000", "#00ff00", "#808080"]
    )
    func readable(text: String) throws {
        let color = try BrandColor(text)
        #expect(color.contrastWithWhite < 4.5)
        #expect(color.readable.contrastWithWhite >= 4.5)
        #expect(try BrandColor("#1f4e79").readable == BrandColor("#1f4e79"))
        #expect(try abs(BrandColor("#000000").contrastWithWhite - 21) < 0.001)
    }

    @Test("E-56: PNG and JPEG are taken; SVG, other files, cut ones and those with too many pixels are not")
    func logos() throws {
        #expect(try BrandLogo(checking: Self.png(width: 3, height: 2)).kind == .png)
        #expect(try BrandLogo(checking: Self.jpeg(width: 300, height: 200)).kind == .jpeg)
        #expect(throws: BrandFault.vector) { try BrandLogo(checking: Array("<?xml?><svg onload='x'/>".utf8)) }
        #expect(throws: BrandFault.noImage) { try BrandLogo(checking: Array("GIF89a".utf8)) }
        #expect(throws: BrandFault.noImage) { try BrandLogo(checking: []) }
        #expect(throws: BrandFault.damaged) { try BrandLogo(checking: Self.png(width: 3, height: 2).dropLast()) }
        #expect(throws: BrandFault.damaged) { try BrandLogo(checking: Self.png(width: 0, height: 2)) }
        #expect(throws: BrandFault.damaged) { try BrandLogo(checking: Self.jpeg(width: 3, height: 2).dropLast()) }
        #expect(throws: BrandFault.tooManyPixels(width: 4_001, height: 2)) {
            try BrandLogo(checking: Self.png(width: 4_001, height: 2))
        }
        #expect(throws: BrandFault.tooLarge(bytes: 1_048_577)) {
            try BrandLogo(checking: Array(repeating: 0xFF, count: 1_048_577))
        }
    }

    @Test("A file that is cut or changed anywhere is refused or taken, and never breaks the reader")
    func nasty() {
        for file in [Self.png(width: 3, height: 2), Self.jpeg(width: 3, height: 2)] {
            for place in file.indices {
                _ = try? BrandLogo(checking: Array(file[..<place]))
                for value: UInt8 in [0, 0x7F, 0xFF] {
                    var changed = file
                    changed[place] = value
                    _ = try? BrandLogo(checking: changed)
                }
            }
        }
    }

    private static func png(width: Int, height: Int) -> [UInt8] {
        func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
            big(data.count, 4) + Array(type.utf8) + data + [0, 0, 0, 0]
        }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", big(width, 4) + big(height, 4) + [8, 2, 0, 0, 0]) + chunk("IDAT", [1, 2])
            + chunk("IEND", [])
    }

    private static func jpeg(width: Int, height: Int) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, 0xE0] + big(4, 2) + [1, 2] + [0xFF, 0xC0] + big(8, 2) + [8] + big(height, 2) + big(width, 2)
            + [1, 0xFF, 0xDA, 0, 2, 7, 0xFF, 0xD9]
    }

    private static func big(_ number: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(number >> ($0 * 8) & 0xFF) }
    }
}
