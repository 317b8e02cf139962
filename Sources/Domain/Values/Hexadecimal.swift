extension Sequence<UInt8> {
    /// Two lower-case digits for each byte.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * underestimatedCount)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension String {
    /// Percent-encoding (RFC 3986, 2.1): unreserved characters stay, every other byte becomes `%XX`.
    ///
    /// - Parameter also: more ASCII characters that stay.
    package func percentEncoded(keeping also: String = "") -> String {
        utf8.reduce(into: "") { out, byte in
            let character = Character(Unicode.Scalar(byte))
            let isUnreserved = character.isLetter || character.isNumber || "-._~".contains(character)
            if byte < 0x80, isUnreserved || also.contains(character) {
                out.append(character)
            } else {
                out += "%" + CollectionOfOne(byte).hexadecimal.uppercased()
            }
        }
    }
}
