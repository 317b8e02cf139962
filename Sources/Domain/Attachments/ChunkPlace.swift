/// Where a passage stands in its file, as far as the file has places.
package struct ChunkPlace: Sendable, Hashable {
    /// From the outermost heading to the nearest; empty where there are none.
    package var headings: [String]
    /// 1-based.
    package var page: Int?
    package var sheet: String?
    /// Rows of a table, 1-based, without its header.
    package var rows: ClosedRange<Int>?
    /// The how-manieth passage of a long text that has none of these places.
    package var part: Int?

    package init(
        headings: [String] = [],
        page: Int? = nil,
        sheet: String? = nil,
        rows: ClosedRange<Int>? = nil,
        part: Int? = nil
    ) {
        self.headings = headings
        self.page = page
        self.sheet = sheet
        self.rows = rows
        self.part = part
    }

    /// How a document names the place, without brackets: `report.pdf, p. 3`, `notes.md, Findings`, `prices.csv, rows 1-50`.
    package func citation(in filename: String) -> String {
        ([Self.label(filename, limit: 255)] + place).joined(separator: ", ")
    }

    /// The place alone; nil where the file is one whole.
    package var name: String? { place.isEmpty ? nil : place.joined(separator: ", ") }

    private var place: [String] {
        if let page { return ["p. \(page)"] }
        if let sheet { return [Self.label(sheet)] + rowsName }
        if let heading = headings.last { return [Self.label(heading)] }
        if rows != nil { return rowsName }
        return part.map { ["part \($0)"] } ?? []
    }

    private var rowsName: [String] {
        rows.map { [$0.count == 1 ? "row \($0.lowerBound)" : "rows \($0.lowerBound)-\($0.upperBound)"] } ?? []
    }

    /// Text of a file or its name, safe within a citation: one line, no brackets, no endless heading.
    package static func label(_ text: String, limit: Int = 80) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "[": out += "("
            case "]": out += ")"
            case _ where scalar.properties.isWhitespace || scalar.properties.generalCategory == .control: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        let line = out.split(separator: " ").joined(separator: " ")
        return line.count > limit ? String(line.prefix(limit - 1)) + "…" : line
    }

    /// For callers of the API: only the keys that apply.
    package var json: JSON {
        var members: [String: JSON] = [:]
        if !headings.isEmpty { members["headings"] = .array(headings.map(JSON.string)) }
        if let page { members["page"] = .integer(page) }
        if let sheet { members["sheet"] = .string(sheet) }
        if let rows { members["rows"] = [.integer(rows.lowerBound), .integer(rows.upperBound)] }
        if let part { members["part"] = .integer(part) }
        return .object(members)
    }
}

/// A passage of a file, small enough to be quoted in a prompt.
package struct TextChunk: Sendable, Hashable {
    /// UTF-8 bytes at most: 1,200 tokens of four bytes.
    package static let longest = 4_800

    package let place: ChunkPlace
    package let text: String
    /// One of the names under which Postgres knows how to read a language; `simple` where none was recognised.
    package let language: String

    package init(place: ChunkPlace, text: String, language: String) {
        self.place = place
        self.text = text
        self.language = language
    }

    /// Estimated: a token is about four bytes.
    package var tokens: Int { (text.utf8.count + 3) / 4 }
}
