/// The header that makes browsers save a file (RFC 6266).
package enum ContentDisposition {
    /// `attachment`, with the name in ASCII for old clients and in UTF-8 (RFC 8187) where that differs.
    ///
    /// - Parameter filename: any text; nothing of it can end the header or its quotes.
    package static func attachment(_ filename: String) -> String {
        let ascii = String(filename.unicodeScalars.map { isPlain($0) ? Character($0) : "_" })
        guard ascii != filename else { return "attachment; filename=\"\(ascii)\"" }
        return "attachment; filename=\"\(ascii)\"; filename*=UTF-8''\(encoded(filename))"
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        (0x20...0x7E).contains(scalar.value) && scalar != "\"" && scalar != "\\" && scalar != "%"
    }

    /// `attr-char` of RFC 8187 stays; every other byte becomes `%XX`.
    private static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { out, byte in
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, isAttributeCharacter(scalar) {
                out.unicodeScalars.append(scalar)
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                out += hex.count == 1 ? "%0" + hex : "%" + hex
            }
        }
    }

    private static func isAttributeCharacter(_ scalar: Unicode.Scalar) -> Bool {
        let character = Character(scalar)
        return character.isLetter || character.isNumber || "!#$&+-.^_`|~".contains(character)
    }
}
