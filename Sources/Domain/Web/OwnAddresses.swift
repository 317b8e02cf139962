private import Glibc
private import Synchronization

/// The addresses of this machine's own network interfaces, public ones too: no URL of a caller may lead back to us.
///
/// They are read anew when they are a minute old, so that an address which comes later is known. What a router or a load
/// balancer translates to this machine is not among them.
package final class OwnAddresses: Sendable {
    private struct Reading {
        var addresses: Set<NetworkAddress> = []
        var moment: ContinuousClock.Instant?
    }

    private let reading = Mutex(Reading())
    private let lifetime: Duration
    private let read: @Sendable () -> Set<NetworkAddress>?

    /// Those of this machine, shared by the whole process.
    package static let system = OwnAddresses(readingBy: ofInterfaces)

    /// - Parameters:
    ///   - lifetime: how long one reading is believed.
    ///   - read: all addresses; nil where they cannot be read just now. Then the last ones stay, and it is asked again.
    package init(
        lifetime: Duration = .seconds(60),
        readingBy read: @escaping @Sendable () -> Set<NetworkAddress>?
    ) {
        self.lifetime = lifetime
        self.read = read
    }

    package func contains(_ address: NetworkAddress) -> Bool {
        reading.withLock { reading in
            let isOld = reading.moment.map { $0.duration(to: .now) >= lifetime } ?? true
            if isOld, let addresses = read() { reading = Reading(addresses: addresses, moment: .now) }
            return reading.addresses.contains(address)
        }
    }

    /// As the kernel lists them (getifaddrs(3)).
    private static func ofInterfaces() -> Set<NetworkAddress>? {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0, let first = list else { return nil }
        defer { freeifaddrs(first) }
        // Safe: the list is the kernel's, ends with nil, and is freed only after the last look at it.
        let entries = sequence(first: first) { entry in entry.pointee.ifa_next }
        return Set(entries.compactMap { entry in entry.pointee.ifa_addr.flatMap(address) })
    }

    private static func address(_ socket: UnsafeMutablePointer<sockaddr>) -> NetworkAddress? {
        // Safe: the family says which of the two structures the memory holds, and the kernel wrote all of it.
        switch Int32(socket.pointee.sa_family) {
        case AF_INET:
            socket.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { socket in
                withUnsafeBytes(of: socket.pointee.sin_addr) { NetworkAddress(bytes: $0) }
            }
        case AF_INET6:
            socket.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { socket in
                withUnsafeBytes(of: socket.pointee.sin6_addr) { NetworkAddress(bytes: $0) }
            }
        default: nil
        }
    }
}
