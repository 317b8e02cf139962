/// An identifier that remembers what it identifies: a `Run.ID` is not an `Engagement.ID`.
package struct ID<Owner>: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { rawValue }

    /// A new identifier: `c` and 24 characters of `[a-z0-9]`, 124 random bits from the system's generator.
    package static func make() -> Self {
        Self(CUID.make())
    }
}

extension ID: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// Identifiers of the engagements family (contract 1.0): `c` + 24 of `[a-z0-9]`.
package enum CUID {
    private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)

    package static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(unsafeUninitializedCapacity: 25) { buffer in
            buffer[0] = UInt8(ascii: "c")
            for index in 1..<25 {
                buffer[index] = alphabet[Int.random(in: 0..<36, using: &generator)]
            }
            return 25
        }
    }
}
