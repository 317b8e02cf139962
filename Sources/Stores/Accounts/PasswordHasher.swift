private import CCrypt

/// Hashes passwords with yescrypt, through the system's libcrypt (crypt(5), `$y$`).
///
/// One at a time in a process: a hash takes about 70 ms of one core and 32 MiB, and logins shall not eat the machine.
package actor PasswordHasher {
    /// yescrypt's cost: `$y$jBT$…` (reliability 8.2).
    private static let cost: UInt = 7
    /// What an unknown e-mail's password is compared with, so that it takes as long as a known one's.
    private var decoy: String?

    package init() {}

    /// Characters a password has at least, and bytes at most (libcrypt takes 512 with the final zero).
    package static let minimumLength = 10
    package static let maximumBytes = 511

    /// - Throws: ``Failure`` where libcrypt refuses.
    package func hash(_ password: String) throws -> String {
        guard let hash = Self.crypt(password, setting: try Self.newSetting()) else { throw Failure() }
        return hash
    }

    /// - Parameter stored: what ``hash(_:)`` gave; nil for somebody unknown or without a password, which takes as long and
    ///   is false.
    package func verify(_ password: String, against stored: String?) throws -> Bool {
        guard password.utf8.count <= Self.maximumBytes, !password.utf8.contains(0) else { return false }
        let setting = try stored ?? decoyHash()
        guard let hash = Self.crypt(password, setting: setting) else { return false }
        return ConstantTime.areEqual(hash.utf8, setting.utf8) && stored != nil
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description = "libcrypt cannot hash with yescrypt: libcrypt1 4.4 or later is needed"
    }

    private func decoyHash() throws -> String {
        if let decoy { return decoy }
        let made = try hash("nobody's password")
        decoy = made
        return made
    }

    private static func newSetting() throws -> String {
        var output = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        // Without bytes of ours, libcrypt takes the salt from the system's random generator.
        guard crypt_gensalt_rn("$y$", cost, nil, 0, &output, Int32(output.count)) != nil else { throw Failure() }
        return text(output)
    }

    private static func crypt(_ password: String, setting: String) -> String? {
        let size = MemoryLayout<crypt_data>.size
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        scratch.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        defer {
            scratch.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            scratch.deallocate()
        }
        return crypt_rn(password, setting, scratch, Int32(size)).map { String(cString: $0) }
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
