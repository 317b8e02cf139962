/// Says which addresses a caller may make us talk to: public ones only, so that no URL of a tenant reaches our own network.
///
/// This machine's own addresses are refused too, whatever they are. Sources: the IANA special-purpose registries of IPv4 and
/// IPv6 (RFC 6890 and its successors), multicast (RFC 5771).
package struct AddressGuard: Sendable {
    private let allowed: [AddressRange]
    private let own: OwnAddresses

    /// - Parameters:
    ///   - allowed: let through although they are not public, or our own; `GC_NET_ALLOW`, for tests and for own networks.
    ///   - own: what this machine itself is reached by.
    package init(allowing allowed: [AddressRange] = [], own: OwnAddresses = .system) {
        self.allowed = allowed
        self.own = own
    }

    package func permits(_ address: NetworkAddress) -> Bool {
        isLetThrough(address) || isPublic(address)
    }

    /// Only because an operator said so.
    package func isLetThrough(_ address: NetworkAddress) -> Bool {
        allowed.contains { $0.contains(address) }
    }

    /// An address that carries another one is judged by that.
    private func isPublic(_ address: NetworkAddress) -> Bool {
        guard !own.contains(address) else { return false }
        if address.bytes.count == 4 { return !Self.special4.contains { $0.contains(address) } }
        if let inner = embedded(in: address) { return isPublic(inner) }
        return Self.unicast.contains { $0.contains(address) } && !Self.special6.contains { $0.contains(address) }
    }

    /// The IPv4 address inside an IPv4-mapped (RFC 4291), NAT64 (RFC 6052) or ISATAP (RFC 5214) one.
    private func embedded(in address: NetworkAddress) -> NetworkAddress? {
        let marks = address.bytes[8..<12]
        let isTunnel = marks.elementsEqual([0, 0, 0x5E, 0xFE]) || marks.elementsEqual([2, 0, 0x5E, 0xFE])
        let inner = NetworkAddress(bytes: address.bytes.suffix(4))
        if isTunnel, !isPublic(inner) { return inner }
        return Self.carriers.contains { $0.contains(address) } ? inner : nil
    }

    private static let carriers = ["::ffff:0:0/96", "64:ff9b::/96"].compactMap(AddressRange.init)
    private static let unicast = ["2000::/3"].compactMap(AddressRange.init)

    private static let special4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        // A public one that leads to the host's own agent in Azure.
        "168.63.129.16/32",
    ].compactMap(AddressRange.init)

    /// Teredo and 6to4 are refused whole: nobody serves on them, and relays could lead inside.
    private static let special6 = [
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    ].compactMap(AddressRange.init)
}
