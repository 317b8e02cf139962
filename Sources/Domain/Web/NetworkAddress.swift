private import Glibc

/// An IPv4 or IPv6 address, as its 4 or 16 bytes.
package struct NetworkAddress: Hashable, Sendable {
    package let bytes: [UInt8]

    /// - Parameter text: the usual text form, IPv6 without brackets; nil where it is none. `0x7f.1` and the like are none.
    package init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes.prefix(4))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    /// - Precondition: 4 or 16 bytes.
    init(bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }
}

/// A block of addresses: `10.0.0.0/8`.
package struct AddressRange: Sendable, Hashable {
    private let base: [UInt8]
    private let bits: Int

    /// - Parameter cidr: address, slash, number of leading bits; nil where it is no such text.
    package init?(_ cidr: String) {
        let parts = cidr.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = NetworkAddress(String(parts[0])), let bits = Int(parts[1]),
            (0...address.bytes.count * 8).contains(bits)
        else { return nil }
        base = address.bytes
        self.bits = bits
    }

    package func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == base.count else { return false }
        return base.indices.allSatisfy { index in
            let left = min(8, max(0, bits - index * 8))
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> left)
            return base[index] & mask == address.bytes[index] & mask
        }
    }
}
