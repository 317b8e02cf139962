/// Text as the full-text search of Postgres needs it.
package enum SearchWords {
    /// The text itself, or with Chinese, Japanese and Korean runs cut into overlapping pairs of letters: these languages put
    /// no spaces between words, and Postgres would take a whole sentence for one word.
    package static func of(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnspaced) else { return text }
        var out = ""
        var run: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars {
            if isUnspaced(scalar) {
                run.append(scalar)
            } else {
                out += pairs(run)
                run = []
                out.unicodeScalars.append(scalar)
            }
        }
        return out + pairs(run)
    }

    private static func pairs(_ run: [Unicode.Scalar]) -> String {
        guard let first = run.first else { return "" }
        guard run.count > 1 else { return " \(first) " }
        return " " + zip(run, run.dropFirst()).map { "\($0)\($1)" }.joined(separator: " ") + " "
    }

    private static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7AF, 0x20000...0x2FA1F: true
        default: false
        }
    }
}

/// How alike two words are written, for names and codes that a caller did not spell as the file does.
package enum Trigrams {
    /// Shared runs of three letters of all there are, 0 to 1, with the ends of the words marked: the measure of PostgreSQL's
    /// pg_trgm (manual, F.35), without the extension.
    package static func similarity(_ left: String, _ right: String) -> Double {
        let first = of(left)
        let second = of(right)
        let shared = first.intersection(second).count
        let all = first.count + second.count - shared
        return all == 0 ? 0 : Double(shared) / Double(all)
    }

    private static func of(_ word: String) -> Set<String> {
        let letters = Array("  " + word.lowercased() + " ")
        guard letters.count > 3 else { return [] }
        return Set((0...letters.count - 3).map { String(letters[$0..<$0 + 3]) })
    }
}
