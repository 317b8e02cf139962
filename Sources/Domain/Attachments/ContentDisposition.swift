/// The header that makes browsers save a file (RFC 6266).
package enum ContentDisposition {
    /// `attachment`, with the name in ASCII for old clients and in UTF-8 (RFC 8187) where that differs.
    ///
    /// - Parameter filename: any text; nothing of it can end the header or its quotes.
    package static func attachment(_ filename: String) -> String {
        let ascii = String(filename.unicodeScalars.map { isPlain($0) ? Character($0) : "_" })
        guard ascii != filename else { return "attachment; filename=\"\(ascii)\"" }
        return "attachment; filename=\"\(ascii)\"; filename*=UTF-8''\(filename.percentEncoded(keeping: attributeMarks))"
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        (0x20...0x7E).contains(scalar.value) && scalar != "\"" && scalar != "\\" && scalar != "%"
    }

    /// What `attr-char` of RFC 8187 has beyond the unreserved characters.
    private static let attributeMarks = "!#$&+^`|"
}
