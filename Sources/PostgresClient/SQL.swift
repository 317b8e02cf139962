/// One statement and its parameters. Interpolation becomes `$1`, `$2` …, so a value can never be read as SQL.
///
/// ```swift
/// let sql: SQL = "SELECT name FROM engagements WHERE id = \(id) AND tenant_id = \(tenant)"
/// ```
package struct SQL: ExpressibleByStringInterpolation, Sendable {
    package let text: String
    package let parameters: [String?]

    package init(stringLiteral value: String) {
        text = value
        parameters = []
    }

    package init(stringInterpolation: Interpolation) {
        text = stringInterpolation.text
        parameters = stringInterpolation.parameters
    }

    /// A statement made of parts that the program itself wrote, such as a migration file. Never pass a caller's text.
    package init(trusted text: String) {
        self.text = text
        parameters = []
    }

    package struct Interpolation: StringInterpolationProtocol, Sendable {
        var text = ""
        var parameters: [String?] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 3)
            parameters.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        package mutating func appendInterpolation(_ value: (some PostgresEncodable)?) {
            parameters.append(value?.postgresText)
            text += "$\(parameters.count)"
        }

        /// A whole clause with parameters of its own: its numbers are shifted to follow ours.
        package mutating func appendInterpolation(clause: SQL) {
            let offset = parameters.count
            parameters += clause.parameters
            text += offset == 0 ? clause.text : Self.shifted(clause.text, by: offset)
        }

        private static func shifted(_ text: String, by offset: Int) -> String {
            var out: [UInt8] = []
            out.reserveCapacity(text.utf8.count + 16)
            var number: Int?
            for byte in text.utf8 {
                if let digits = number, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                    number = digits * 10 + Int(byte - UInt8(ascii: "0"))
                    continue
                }
                append(number, offset, to: &out)
                number = byte == UInt8(ascii: "$") ? 0 : nil
                out.append(byte)
            }
            append(number, offset, to: &out)
            return String(decoding: out, as: UTF8.self)
        }

        /// A dollar without digits, as in a quoted body, stays as it is.
        private static func append(_ number: Int?, _ offset: Int, to out: inout [UInt8]) {
            guard let number, number > 0 else { return }
            out += String(number + offset).utf8
        }
    }
}
