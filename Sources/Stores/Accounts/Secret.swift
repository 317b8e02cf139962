private import Crypto
private import Domain
private import FoundationEssentials
package import PostgresClient

/// Random texts that are shown once, and what is kept of them.
package enum Secret {
    /// 64 hexadecimal digits: 256 random bits.
    package static func make() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { $0.hexadecimal }
    }

    /// A password for somebody to type once: 20 characters without look-alikes, about 98 bits.
    package static func password() -> String {
        let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<20).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }

    /// The only thing of a key or token that is stored. A fast hash is enough for 256 random bits.
    package static func hash(_ text: String) -> PostgresBytes {
        PostgresBytes(SHA256.hash(data: Data(text.utf8)))
    }
}
