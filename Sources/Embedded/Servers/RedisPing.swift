import Glibc

/// Asks a Redis whether it serves. Once at each start; the fleet's own client lives elsewhere.
enum RedisPing {
    /// Whether the server behind `socketPath` says PONG; one that is still loading its data says LOADING.
    static func answers(at socketPath: String) -> Bool {
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard connects(file, to: socketPath), send(file, "PING\r\n", 6, Int32(MSG_NOSIGNAL)) == 6 else {
            return false
        }
        var reply = [UInt8](repeating: 0, count: 16)
        let count = recv(file, &reply, reply.count, 0)
        return count > 0 && reply.prefix(count).starts(with: "+PONG".utf8)
    }

    private static func connects(_ file: Int32, to path: String) -> Bool {
        guard path.utf8.count <= SocketPlace.limit else { return false }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(file, $0, size) == 0 }
        }
    }
}
