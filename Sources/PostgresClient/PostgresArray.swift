/// A one-dimensional array parameter or column. `unnest` of such arrays is how many rows travel in one statement.
extension Array: PostgresEncodable where Element: PostgresEncodable {
    package var postgresText: String {
        var text = "{"
        for (index, element) in enumerated() {
            if index > 0 { text += "," }
            PostgresArray.append(element.postgresText, plain: element is Int || element is Int64, to: &text)
        }
        return text + "}"
    }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let postgresText, let cells = PostgresArray.split(postgresText) else { return nil }
        self = []
        reserveCapacity(cells.count)
        for cell in cells {
            let element = cell.map { bytes in bytes.withUnsafeBufferPointer { Element(postgresText: $0) } }
            guard let value = element ?? Element(postgresText: nil) else { return nil }
            append(value)
        }
    }
}

/// An array parameter whose elements may be NULL.
package struct NullableArray<Element: PostgresEncodable>: PostgresEncodable {
    package let elements: [Element?]

    package init(_ elements: [Element?]) {
        self.elements = elements
    }

    package var postgresText: String {
        var text = "{"
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let element {
                PostgresArray.append(element.postgresText, plain: false, to: &text)
            } else {
                text += "NULL"
            }
        }
        return text + "}"
    }
}

/// The text form of arrays (PostgreSQL manual, 8.15.6).
enum PostgresArray {
    static func append(_ element: String, plain: Bool, to text: inout String) {
        guard !plain else {
            text += element
            return
        }
        text += "\""
        if element.utf8.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
            for character in element.unicodeScalars {
                if character == "\"" || character == "\\" { text += "\\" }
                text.unicodeScalars.append(character)
            }
        } else {
            text += element
        }
        text += "\""
    }

    /// The cells of `{a,"b c",NULL}`; nil where the text is no flat array.
    static func split(_ text: UnsafeBufferPointer<UInt8>) -> [[UInt8]?]? {
        guard text.first == UInt8(ascii: "{"), text.last == UInt8(ascii: "}") else { return nil }
        var cells: [[UInt8]?] = []
        var cell: [UInt8] = []
        var quoted = false
        var wasQuoted = false
        var index = 1
        let end = text.count - 1
        while index < end {
            let byte = text[index]
            if quoted, byte == UInt8(ascii: "\\"), index + 1 < end {
                index += 1
                cell.append(text[index])
            } else if byte == UInt8(ascii: "\"") {
                quoted.toggle()
                wasQuoted = true
            } else if byte == UInt8(ascii: ","), !quoted {
                cells.append(finished(cell, wasQuoted))
                cell = []
                wasQuoted = false
            } else {
                cell.append(byte)
            }
            index += 1
        }
        if end > 1 { cells.append(finished(cell, wasQuoted)) }
        return quoted ? nil : cells
    }

    private static func finished(_ cell: [UInt8], _ wasQuoted: Bool) -> [UInt8]? {
        !wasQuoted && cell.elementsEqual("NULL".utf8) ? nil : cell
    }
}
