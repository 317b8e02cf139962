import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
package import Stores

/// An S3-compatible server of the test process: SeaweedFS from .tools/venv, which scripts/setup.sh installs.
package struct S3Server: Sendable {
    /// As `GC_STORAGE_URL` has it.
    package let url: String

    package static let accessKey = "testkey"
    package static let secretKey = "testsecret"

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let program = root.appending(path: ".tools/venv/bin/weed").path

    package static let isInstalled = FileManager.default.isExecutableFile(atPath: program)

    /// One for all tests of this process.
    package static func shared() async throws -> S3Server { try await booting.value }

    package func blobs(partSize: Int = 8 << 20, secretKey: String = Self.secretKey) throws -> S3Blobs {
        guard let location = S3Location(url) else { throw NeverHappened(description: "no location in \(url)") }
        return S3Blobs(location, accessKey: Self.accessKey, secretKey: secretKey, partSize: partSize)
    }

    // One task for the whole process, so that tests which ask at the same time get the same server.
    private static let booting = Task {
        let folder = "/tmp/gct-s3-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let identity = """
            {"identities":[{"name":"t","credentials":[{"accessKey":"\(accessKey)","secretKey":"\(secretKey)"}],
            "actions":["Admin","Read","Write","List","Tagging"]}]}
            """
        try Data(identity.utf8).write(to: URL(filePath: folder + "/s3.json"))
        let port = freePort()
        try launch(folder, port)
        let server = S3Server(url: "s3://files?endpoint=http://127.0.0.1:\(port)&region=us-east-1")
        try await eventually(within: .seconds(60), "the S3 server to make a bucket", poll: .milliseconds(200)) {
            (try? await makeBucket(port)) == 200
        }
        return server
    }

    /// The shell reads from us until we are gone, however we go; then it ends the server and removes its files.
    private static func launch(_ folder: String, _ port: Int) throws {
        let ports = ["master.port", "volume.port", "filer.port"].flatMap { name in
            ["-\(name)=\(freePort())", "-\(name).grpc=\(freePort())"]
        }
        let command =
            [program, "server", "-dir=\(folder)", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"] + ports + [
                "-s3", "-s3.port=\(port)", "-s3.port.grpc=\(freePort())", "-s3.port.iceberg=0", "-s3.port.lance=0",
                "-s3.config=\(folder)/s3.json", "-volume.max=20", "-master.volumeSizeLimitMB=64",
                "-master.telemetry=false",
            ]
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments =
            [
                "-c", #"folder=$1; shift; exec 3<&0; "$@" </dev/null & cat <&3; kill -9 $!; rm -rf "$folder""#, "s3",
                folder,
            ] + command
        process.standardInput = lifeline
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    private static let lifeline = Pipe()

    private static func makeBucket(_ port: Int) async throws -> Int {
        let signature = S3Signature(accessKey: accessKey, secretKey: secretKey, region: "us-east-1")
        let moment = Timestamp(microseconds: Int64(Date.now.timeIntervalSince1970) * 1_000_000)
        let empty = S3Signature.hash("".utf8)
        let headers = [
            ("host", "127.0.0.1:\(port)"), ("x-amz-content-sha256", empty), ("x-amz-date", S3Signature.stamp(moment)),
        ]
        let asked = S3Signature.Request(method: "PUT", path: "/files", headers: headers)
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/files")
        request.method = .PUT
        for (name, value) in headers.dropFirst() { request.headers.add(name: name, value: value) }
        let authorization = signature.authorization(asked, payload: empty, at: moment)
        request.headers.add(name: "authorization", value: authorization)
        return Int(try await HTTPClient.shared.execute(request, timeout: .seconds(5)).status.code)
    }

    private static func freePort() -> Int {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = bind(socket, generic, length)
                _ = getsockname(socket, generic, &length)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
