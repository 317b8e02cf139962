/// A piece of a document that can be quoted on its own.
package struct Sentence: Sendable, Hashable {
    package enum Kind: Sendable {
        case heading, prose, item, row
    }

    /// The words as the source has them, runs of white space closed up to one space.
    package let text: String
    package let kind: Kind

    package init(text: String, kind: Kind = .prose) {
        self.text = text
        self.kind = kind
    }
}

/// Splits plain text and Markdown into sentences, headings, list items and table rows.
package enum Sentences {
    /// A sentence longer than this is cut at a space, so that text without full stops can be quoted too.
    package static let longest = 400

    /// Every sentence, in order. Words are never changed, only white space.
    package static func of(_ text: String) -> [Sentence] {
        var out: [Sentence] = []
        var paragraph = ""
        var kind = Sentence.Kind.prose
        func flush() {
            out += split(paragraph).map { Sentence(text: $0, kind: kind) }
            paragraph = ""
            kind = .prose
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let line = closedUp(line)
            switch block(of: line) {
            case .blank: flush()
            case .heading(let title):
                flush()
                out.append(Sentence(text: title, kind: .heading))
            case .row:
                flush()
                if line.contains(where: { $0.isLetter || $0.isNumber }) { out.append(Sentence(text: line, kind: .row)) }
            case .item(let words):
                flush()
                kind = .item
                paragraph = words
            case .words: paragraph += paragraph.isEmpty ? line : " " + line
            }
        }
        flush()
        return out
    }

    private enum Block {
        case blank, heading(String), row, item(String), words
    }

    private static func block(of line: String) -> Block {
        guard let first = line.first else { return .blank }
        switch first {
        case "#":
            let title = line.drop { $0 == "#" }
            return title.first == " " ? .heading(String(title.dropFirst())) : .words
        case "|": return .row
        case "-", "*", "+", "\u{2022}":
            let words = line.dropFirst()
            return words.first == " "
                ? .item(String(words.dropFirst())) : line.contains(where: \.isLetter) ? .words : .blank
        case "0"..."9":
            let rest = line.drop { $0.isASCII && $0.isNumber }
            guard rest.hasPrefix(". ") || rest.hasPrefix(") ") else { return .words }
            return .item(String(rest.dropFirst(2)))
        case ">": return line.count > 1 ? .item(String(line.dropFirst(line.hasPrefix("> ") ? 2 : 1))) : .blank
        default: return .words
        }
    }

    private static func closedUp(_ line: Substring) -> String {
        line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    // MARK: Sentences of a paragraph

    private static func split(_ paragraph: String) -> [String] {
        var out: [String] = []
        let letters = Array(paragraph)
        var start = 0
        for index in letters.indices where isEnd(letters, index, start) {
            append(letters[start...index], to: &out)
            start = index + 1
        }
        append(letters[start...], to: &out)
        return out
    }

    private static func isEnd(_ letters: [Character], _ index: Int, _ start: Int) -> Bool {
        let letter = letters[index]
        if letter == "。" || letter == "！" || letter == "？" { return true }
        guard letter == "." || letter == "!" || letter == "?" || isCloser(letter) else { return false }
        if isCloser(letter) {
            guard index > start, isStop(letters[index - 1]) else { return false }
        } else if index + 1 < letters.count, isCloser(letters[index + 1]) {
            return false
        }
        guard index + 2 < letters.count else { return false }
        guard letters[index + 1] == " ", !letters[index + 2].isLowercase else { return false }
        return letter != "." || !isAbbreviation(letters[start..<index])
    }

    private static func isStop(_ letter: Character) -> Bool { letter == "." || letter == "!" || letter == "?" }

    private static func isCloser(_ letter: Character) -> Bool {
        letter == "\"" || letter == "\u{201D}" || letter == ")" || letter == "\u{2019}"
    }

    private static let abbreviations: Set<String> = [
        "mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "etc", "approx", "no", "fig", "ca", "cf", "inc",
        "ltd", "co", "corp", "dept", "est", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct",
        "nov", "dec",
    ]

    /// The word before a full stop is short for another, or a single letter as in `J. Smith`.
    private static func isAbbreviation(_ before: ArraySlice<Character>) -> Bool {
        let word = before.suffix(while: { $0 != " " && $0 != "(" })
        if word.count == 1, let only = word.first { return only.isLetter && only.isUppercase }
        return word.count <= 6 && abbreviations.contains(String(word).lowercased())
    }

    private static func append(_ letters: ArraySlice<Character>, to out: inout [String]) {
        var rest = letters.drop { $0 == " " }
        while rest.count > longest {
            let head = rest.prefix(longest)
            let space = head.lastIndex(of: " ") ?? head.endIndex
            out.append(String(rest[..<space]))
            rest = rest[space...].drop { $0 == " " }
        }
        while rest.last == " " { rest.removeLast() }
        if !rest.isEmpty { out.append(String(rest)) }
    }
}

extension ArraySlice {
    fileprivate func suffix(while belongs: (Element) -> Bool) -> ArraySlice {
        var start = endIndex
        while start > startIndex, belongs(self[start - 1]) { start -= 1 }
        return self[start...]
    }
}
