/// A file's name as people see it. It is never a path: bytes lie under random keys (contract A-13).
package struct FileLabel: Sendable, Equatable {
    /// 1 to 255 bytes of UTF-8.
    package let text: String

    /// Bytes that a label may have.
    package static let limit = 255

    /// - Parameter sent: what a client or a page called it. Folders, control characters, characters that turn the direction of
    ///   writing, leading dots and surrounding blanks are taken out.
    package init(_ sent: String) {
        let last = sent.split { $0 == "/" || $0 == "\\" }.last ?? ""
        var name = String(String.UnicodeScalarView(last.unicodeScalars.filter(Self.isHarmless)))[...]
        while let first = name.first, first == "." || first.isWhitespace { name.removeFirst() }
        while name.last?.isWhitespace == true { name.removeLast() }
        let (stem, ending) = Self.parts(String(name))
        text = Self.joined(stem.isEmpty ? "file" : stem, ending)
    }

    /// The same label with `_1`, `_2` … before its extension (contract A-24, decision D-42).
    package func numbered(_ number: Int) -> FileLabel {
        let (stem, ending) = Self.parts(text)
        return FileLabel(fitting: stem, "_\(number)" + ending)
    }

    /// The label, or its first numbered form that is not taken.
    package func unique(among taken: Set<String>) -> FileLabel {
        guard taken.contains(text) else { return self }
        var number = 1
        while taken.contains(numbered(number).text) { number += 1 }
        return numbered(number)
    }

    private init(fitting stem: String, _ ending: String) {
        text = Self.joined(stem, ending)
    }

    private static func parts(_ name: String) -> (stem: String, ending: String) {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex, name[dot...].utf8.count <= 32 else {
            return (name, "")
        }
        return (String(name[..<dot]), String(name[dot...]))
    }

    /// Cuts the stem, on a character's boundary, until both fit.
    private static func joined(_ stem: String, _ ending: String) -> String {
        var stem = stem
        while stem.utf8.count + ending.utf8.count > limit, !stem.isEmpty { stem.removeLast() }
        return stem + ending
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
        default: true
        }
    }
}
