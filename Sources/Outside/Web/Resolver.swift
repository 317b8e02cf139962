import Domain
import Glibc
import NIOPosix

/// Host names to addresses, off Swift's own threads because the system's resolver blocks.
package struct Resolver: Sendable {
    private let lookUp: @Sendable (String) -> [String]

    /// - Parameter lookUp: a name to all of its addresses; blocks. A test gives its own.
    package init(_ lookUp: @escaping @Sendable (String) -> [String]) {
        self.lookUp = lookUp
    }

    /// What this machine uses: its hosts file and its name servers.
    package static let system = Resolver { systemLookUp($0) }

    /// Names take threads from nothing else: a name server that is silent holds up names only.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 8)
        pool.start()
        return pool
    }()

    /// - Returns: every address of the name; empty where it has none, the resolver failed, or the limit was over.
    func addresses(of host: String, within limit: Duration) async -> [String] {
        if NetworkAddress(host) != nil { return [host] }
        let (answers, feed) = AsyncStream.makeStream(of: [String].self)
        let lookUp = lookUp
        // A look-up cannot be cancelled: one that takes too long ends by itself, and nobody hears it.
        Self.threads.submit { _ in
            feed.yield(lookUp(host))
            feed.finish()
        }
        return await withTaskGroup(of: [String].self) { group in
            group.addTask { await answers.first { _ in true } ?? [] }
            group.addTask {
                try? await Task.sleep(for: limit)
                return []
            }
            defer { group.cancelAll() }
            return await group.next() ?? []
        }
    }

    private static func systemLookUp(_ host: String) -> [String] {
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
