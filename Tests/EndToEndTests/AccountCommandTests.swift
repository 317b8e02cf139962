import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import Stores
import TestSupport
import Testing

@Suite("Accounts from the command line")
struct AccountCommandTests {
    @Test("dev writes an owner to log in with, and nobody but us can read the files with secrets")
    func dev() async throws {
        let fleet = try await FleetUnderTest()
        let folder = try await TestStack.shared().folder + "/dev-accounts"
        let port = freePort()
        let dev = try fleet.start("dev", "--data", folder, "--port", "\(port)", "--workers", "0")
        try await eventually(within: .seconds(60), "dev.json") {
            FileManager.default.fileExists(atPath: folder + "/dev.json")
        }
        for file in ["dev.json", "secret.key"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(file)")
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
        }
        let card = try JSON(parsing: Data(contentsOf: URL(filePath: folder + "/dev.json")))
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/api/auth/login")
        request.method = .POST
        let body: JSON = ["email": card["owner_email"] ?? .null, "password": card["owner_password"] ?? .null]
        request.body = .bytes(ByteBuffer(string: body.text))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        #expect(response.status == .ok)
        #expect(response.headers.first(name: "Set-Cookie")?.hasPrefix("gc_session=") == true)
        #expect(response.headers.first(name: "X-RateLimit-Limit") == "10")
        try await dev.stop()
        await fleet.close()
    }

    @Test("an API that others can reach does not start without a secret, nor with a malformed one or a malformed rate")
    func settings() async throws {
        let fleet = try await FleetUnderTest()
        for extra in [["GC_SECRET_KEY": ""], ["GC_SECRET_KEY": "short"], ["GC_SECRET_KEY": "", "GC_RATE_API": "many"]] {
            let api = try fleet.start("api", "--host", "0.0.0.0", "--port", "\(freePort())", extra: extra)
            #expect(try await api.end(within: .seconds(20)) == 2)
        }
        await fleet.close()
    }

    @Test("an API on loopback starts without a secret, and people that are added by command exist once")
    func users() async throws {
        let fleet = try await FleetUnderTest()
        let port = freePort()
        let api = try fleet.start("api", "--port", "\(port)", extra: ["GC_SECRET_KEY": ""])
        _ = try await Caller.ready(fleet, port: port)
        let tenant = try await fleet.world.stores.accounts.createTenant(name: "T", plan: nil)
        let arguments = ["admin", "user", "create", "--tenant", tenant.id.rawValue, "--email", "p@t.example"]
        for code: Int32 in [0, 1] {
            let command = try FleetProcess(arguments, fleet.environment)
            #expect(try await command.end(within: .seconds(20)) == code)
        }
        let members = try await fleet.world.stores.members.list(tenant.id)
        #expect(members.map(\.role) == [.owner, .member])
        try await api.stop()
        await fleet.close()
    }
}
