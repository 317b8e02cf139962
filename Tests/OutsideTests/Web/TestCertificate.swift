import Foundation
import NIOSSL
import TestSupport

/// A self-signed certificate of a name, in a folder of its own.
struct TestCertificate {
    private let folder: URL
    /// The certificate as PEM, to be trusted.
    var path: String { folder.appending(path: "cert.pem").path }

    init(of name: String) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let names = ["-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)"]
        let files = ["-keyout", key, "-out", path]
        let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        _ = try ChildProcess.run("openssl", make + names + files)
    }

    private var key: String { folder.appending(path: "key.pem").path }

    /// Of a server that shows it.
    func configuration() throws -> TLSConfiguration {
        TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        )
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}
