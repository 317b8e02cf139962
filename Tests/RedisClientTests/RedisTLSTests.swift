import Foundation
import Testing

@testable import RedisClient

struct RedisTLSTests {
    @Test("Over TLS only a server with a certificate of the named authority, for the named host, is used")
    func verified() async throws {
        let directory = try RedisServer.freshDirectory()
        try Certificates.make(in: directory)
        let port = try Self.freePort()
        let files = ["--tls-cert-file", directory + "/server.pem", "--tls-key-file", directory + "/server.key"]
        let authority = ["--tls-ca-cert-file", directory + "/ca.pem", "--tls-auth-clients", "no"]
        let server = try RedisServer(["--tls-port", "\(port)"] + files + authority, in: directory)
        _ = try await server.client()

        let redis = Redis(
            try RedisConfiguration(url: "rediss://localhost:\(port)?cafile=\(directory)/ca.pem"),
            logger: quiet
        )
        #expect(try await redis.send(["PING"]).string == "PONG")
        let text = String(repeating: "x", count: 300_000)
        #expect(try await redis.send(["ECHO", text]).string == text)

        for url in ["rediss://localhost:\(port)", "rediss://127.0.0.1:\(port)?cafile=\(directory)/ca.pem"] {
            let stranger = Redis(try RedisConfiguration(url: url), logger: quiet)
            let error = try await failure { try await stranger.send(["PING"]) }
            #expect(error.isFailedConnect)
            #expect(error.message.contains("TLS failed"), "\(error.message)")
        }
        let plain = Redis(try RedisConfiguration(url: "redis://127.0.0.1:\(port)"), logger: quiet)
        let error = try await failure { try await plain.send(["PING"]) }
        #expect(error.isFailedConnect)
    }

    private static func freePort() throws -> Int {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Foundation.close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        try #require(bound)
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// An authority of our own and a server certificate for `localhost`, made with the openssl command.
private enum Certificates {
    static func make(in directory: String) throws {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        try openssl(["req", "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA"] + key, directory)
        let names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        let signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"]
        try openssl(["req", "-x509", "-keyout", "server.key", "-out", "server.pem"] + names + signer + key, directory)
    }

    private static func openssl(_ arguments: [String], _ directory: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments.joined(separator: " "))")
    }
}
