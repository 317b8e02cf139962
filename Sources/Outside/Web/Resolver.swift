import Domain
import Glibc
import NIOPosix

/// Host names to addresses, off Swift's own threads because the system's resolver blocks.
enum Resolver {
    /// - Returns: every address of the name; empty where it has none or the resolver failed.
    static func addresses(of host: String) async -> [String] {
        if NetworkAddress(host) != nil { return [host] }
        return (try? await NIOThreadPool.singleton.runIfActive { lookUp(host) }) ?? []
    }

    private static func lookUp(_ host: String) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var entry = list
        while let current = entry {
            var name = [CChar](repeating: 0, count: 64)
            let info = current.pointee
            if getnameinfo(info.ai_addr, info.ai_addrlen, &name, 64, nil, 0, NI_NUMERICHOST) == 0 {
                found.append(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
            entry = info.ai_next
        }
        return found
    }
}
