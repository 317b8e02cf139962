import AsyncHTTPClient
import Domain
import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

/// The API on a real socket, a tenant with a key, and a folder for its files.
struct FileHouse: Sendable {
    let world: World
    let tenant: Tenant.ID
    let key: String
    let port: Int
    let folder: String

    var store: LocalBlobs { LocalBlobs(folder: folder) }

    static func run(
        plan: Plan? = .enterprise,
        pace: BodyPace = BodyPace(),
        signedURLSeconds: Int = 3600,
        limits: [RateTier: RateLimit]? = nil,
        blobs: (any BlobStore)? = nil,
        _ body: @escaping @Sendable (FileHouse) async throws -> Void
    ) async throws {
        let world = try await World.fresh()
        let folder = try await TestStack.shared().folder + "/files-\(UInt32.random(in: 0 ... .max))"
        let tenant = try await world.stores.accounts.createTenant(name: "T", plan: plan)
        let key = try #require(
            try await world.stores.accounts.createKey(tenant: tenant.id, name: "k", scopes: [.readWrite], mode: .live)
        )
        let wide = Dictionary(uniqueKeysWithValues: RateTier.limited.map { ($0, RateLimit(count: 9999, seconds: 60)) })
        let settings = APIService.Settings(
            publicURL: nil,
            rates: RateSettings(limits: limits ?? wide, patience: .seconds(20)),
            trustsProxy: true,
            signupIsOpen: false,
            allowSimulation: false,
            testSettings: [],
            secret: Array(0..<32),
            blobs: blobs ?? LocalBlobs(folder: folder),
            signedURLSeconds: signedURLSeconds,
            uploadPace: pace
        )
        let table = APIService.table(
            stores: world.stores,
            queue: world.queue,
            settings: settings,
            logger: world.logger
        )
        let application = Application(
            router: table.router(),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            logger: world.logger
        )
        try await application.test(.live) { client in
            let port = try #require(client.port)
            try await body(
                FileHouse(world: world, tenant: tenant.id, key: key.plaintext, port: port, folder: folder)
            )
        }
        await world.close()
    }

    // MARK: Calls

    struct Reply: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let bytes: [UInt8]

        var json: JSON { (try? JSON(parsing: Data(bytes))) ?? .null }
        var error: String? { json["error"]?.stringValue }
    }

    func call(
        _ method: String,
        _ path: String,
        _ body: [UInt8]? = nil,
        _ headers: [String: String] = [:],
        key: String? = nil,
        withoutKey: Bool = false
    ) async throws -> Reply {
        let url = path.hasPrefix("http") ? path : "http://127.0.0.1:\(port)\(path)"
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        if !withoutKey { request.headers.add(name: "Authorization", value: "Bearer \(key ?? self.key)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(body) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        return Reply(
            status: Int(response.status.code),
            headers: response.headers,
            bytes: Array(bytes.readableBytesView)
        )
    }

    func engagement() async throws -> String {
        let made = try await call("POST", "/api/engagements", Array(APIUnderTest.draft.utf8))
        return try #require(made.json["id"]?.stringValue, "\(String(decoding: made.bytes, as: UTF8.self))")
    }

    // MARK: Forms

    struct Part: Sendable {
        var name = "file"
        var filename: String?
        var bytes: [UInt8] = []

        static func file(_ name: String, _ text: String) -> Part {
            Part(filename: name, bytes: Array(text.utf8))
        }

        static func file(_ name: String, _ bytes: [UInt8]) -> Part { Part(filename: name, bytes: bytes) }
        static func field(_ name: String, _ text: String) -> Part { Part(name: name, bytes: Array(text.utf8)) }
    }

    static let boundary = "----form4d1f"

    static func form(_ parts: [Part], closed: Bool = true) -> [UInt8] {
        var body: [UInt8] = []
        for part in parts {
            let filename = part.filename.map { "; filename=\"\($0)\"" } ?? ""
            body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"\(filename)\r\n".utf8)
            if part.filename != nil { body += Array("Content-Type: application/octet-stream\r\n".utf8) }
            body += Array("\r\n".utf8) + part.bytes + Array("\r\n".utf8)
        }
        return closed ? body + Array("--\(boundary)--\r\n".utf8) : body
    }

    static let formType = ["Content-Type": "multipart/form-data; boundary=\(boundary)"]

    func upload(
        _ id: String,
        _ parts: Part...,
        headers: [String: String] = [:],
        key: String? = nil
    ) async throws -> Reply {
        let all = Self.formType.merging(headers) { $1 }
        return try await call("POST", "/api/engagements/\(id)/attachments", Self.form(parts), all, key: key)
    }

    // MARK: What is left

    /// Files in the store's folder, finished or not.
    func files() throws -> [String] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            $0.split(separator: "/").count == 3
        }
    }

    func count(_ sql: SQL) async throws -> Int {
        try await world.postgres.query(sql).first?.decode(Int.self) ?? -1
    }

    func usage() async throws -> Int { try await world.stores.billing.billing(tenant).storageBytes }

    /// No bytes, no row, no usage.
    func expectNothing(_ place: String) async throws {
        #expect(try files().isEmpty, "\(place)")
        #expect(try await count("SELECT count(*) FROM blobs") == 0, "\(place)")
        #expect(try await count("SELECT count(*) FROM attachments") == 0, "\(place)")
        #expect(try await usage() == 0, "\(place)")
    }
}
