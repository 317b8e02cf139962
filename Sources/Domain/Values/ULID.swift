private import FoundationEssentials

/// Identifiers that sort by the moment they were made (the ULID specification, github.com/ulid/spec): 48 bits of
/// milliseconds and 80 random bits in Crockford's base 32, here in lower case.
package enum ULID {
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// A new one: 26 characters of `[0-9a-hjkmnp-tv-z]`, from the clock of this machine and the system's generator.
    package static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        let random = UInt128(UInt16.random(in: 0 ... .max, using: &generator)) << 64
        return text(
            milliseconds: UInt64(max(0, Date().timeIntervalSince1970 * 1000)),
            random: random | UInt128(UInt64.random(in: 0 ... .max, using: &generator))
        )
    }

    /// - Parameters:
    ///   - milliseconds: since 1970; 48 bits count.
    ///   - random: 80 bits count.
    package static func text(milliseconds: UInt64, random: UInt128) -> String {
        let value = UInt128(milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random & (1 << 80 - 1)
        return String(unsafeUninitializedCapacity: 26) { buffer in
            for index in 0..<26 {
                buffer[25 - index] = alphabet[Int(truncatingIfNeeded: value >> (5 * index)) & 31]
            }
            return 26
        }
    }
}
