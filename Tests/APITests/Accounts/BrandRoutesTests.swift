import Domain
import Foundation
import Jobs
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("A tenant's logo and colour by API", .serialized)
struct BrandRoutesTests {
    private static let path = "/api/tenant/brand"
    private static let json = ["Content-Type": "application/json"]

    /// One red pixel.
    private static let dot = Array(
        Data(
            base64Encoded:
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
        ) ?? Data()
    )

    /// The headers of a member with a role, on a real socket: pictures are no text.
    private func member(_ role: Role, _ house: FileHouse) async throws -> [String: String] {
        let email = "\(role.rawValue)@\(house.tenant).example"
        let added = try #require(try await house.world.stores.members.add(house.tenant, email: email, role: role))
        let login = JSON.object(["email": .string(email), "password": .string(added.password ?? "")]).text
        let reply = try await house.call("POST", "/api/auth/login", Array(login.utf8), Self.json, withoutKey: true)
        let cookie = try #require(reply.headers.first(name: "Set-Cookie")?.split(separator: ";").first)
        return ["Cookie": String(cookie)]
    }

    private func call(
        _ method: String,
        _ path: String,
        _ headers: [String: String],
        _ house: FileHouse,
        _ body: [UInt8]? = nil
    ) async throws -> FileHouse.Reply {
        try await house.call(method, path, body, headers, withoutKey: true)
    }

    /// Ends the next trial of a logo as a worker does.
    private func draw(_ house: FileHouse, well: Bool) async throws {
        try await eventually(within: .seconds(10), "a logo to wait for a worker") {
            let waiting = try await house.world.postgres.query(
                "SELECT payload->>'draft' FROM jobs WHERE kind = 'brand.try' AND state = 'queued'"
            ).first
            guard let draft = try waiting?.decode(String.self) else { return false }
            let effect =
                well ? BrandStore.adopt(draft, for: house.tenant) : BrandStore.drop(draft, of: house.tenant)
            _ = try await house.world.postgres.pipeline([
                effect,
                """
                UPDATE jobs SET state = 'done', finished_at = clock_timestamp(),
                  result = jsonb_build_object('drawn', \(well)::boolean)
                WHERE kind = 'brand.try' AND state = 'queued'
                """,
            ])
            return true
        }
    }

    @Test("E-56: an admin sets colour and logo, sees them, and takes them back one by one or both")
    func life() async throws {
        try await FileHouse.run { house in
            let admin = try await member(.admin, house)
            let none: JSON = ["color": .null, "printedColor": .null, "logo": .null]
            #expect(try await call("GET", Self.path, admin, house).json == none)
            let amber = Array(##"{"color":"#FFB000"}"##.utf8)
            let colored = try await call("PATCH", Self.path, admin, house, amber).json
            #expect(colored["color"] == "#ffb000" && colored["logo"] == .null)
            #expect(try BrandColor(colored["printedColor"]?.stringValue ?? "").contrastWithWhite >= 4.5)

            async let sent = call("PUT", "\(Self.path)/logo", admin, house, Self.dot)
            try await draw(house, well: true)
            let set = try await sent
            #expect(set.status == 200 && set.json["color"] == "#ffb000", "\(set.json.text)")
            #expect(set.json["logo"] == ["type": "image/png", "bytes": .integer(Self.dot.count)])
            let picture = try await call("GET", "\(Self.path)/logo", admin, house)
            #expect(picture.bytes == Self.dot && picture.headers.first(name: "Content-Type") == "image/png")
            #expect(picture.headers.first(name: "X-Content-Type-Options") == "nosniff")
            #expect(try await house.world.stores.brands.brand(of: house.tenant).logo?.bytes == Self.dot)

            #expect(try await call("DELETE", "\(Self.path)/logo", admin, house).status == 200)
            #expect(try await call("GET", "\(Self.path)/logo", admin, house).status == 404)
            #expect(try await call("GET", Self.path, admin, house).json["color"] == "#ffb000")
            let plain = try await call("PATCH", Self.path, admin, house, Array(#"{"color":null}"#.utf8))
            #expect(plain.status == 200 && plain.json == none)
            _ = try await call("PATCH", Self.path, admin, house, amber)
            #expect(try await call("DELETE", Self.path, admin, house).json == ["success": true])
            #expect(try await call("GET", Self.path, admin, house).json == none)
        }
    }

    @Test("E-56: what is wrong with a colour or a logo is said, and nothing is changed")
    func refused() async throws {
        try await FileHouse.run { house in
            let admin = try await member(.admin, house)
            for body in ["{}", #"{"color":"red"}"#, ##"{"color":"#12345"}"##, #"{"color":7}"#] {
                let reply = try await call("PATCH", Self.path, admin, house, Array(body.utf8))
                #expect(reply.status == 400 && reply.error?.contains("#") == true, "\(body)")
            }
            let vector = Array("<svg xmlns='http://www.w3.org/2000/svg'/>".utf8)
            for (bytes, word) in [
                (vector, "SVG"), (Array("GIF89a".utf8), "neither"), ([], "neither"), (Self.dot.dropLast(), "damaged"),
            ] as [([UInt8], String)] {
                let reply = try await call("PUT", "\(Self.path)/logo", admin, house, bytes)
                #expect(reply.status == 400 && reply.error?.contains(word) == true, "\(word): \(reply.status)")
            }
            let large = Self.dot + Array(repeating: 0, count: 1 << 20)
            #expect(try await call("PUT", "\(Self.path)/logo", admin, house, large).status == 413)
            #expect(try await house.world.count("kind = 'brand.try'") == 0)

            async let sent = call("PUT", "\(Self.path)/logo", admin, house, Self.dot)
            try await draw(house, well: false)
            let damaged = try await sent
            #expect(damaged.status == 400 && damaged.error == BrandFault.damaged.description)
            #expect(try await house.world.stores.brands.brand(of: house.tenant) == .none)
        }
    }

    @Test("D-4: neither an API key nor a member sets a brand; another tenant's stays as it is")
    func who() async throws {
        try await FileHouse.run { house in
            let stores = house.world.stores
            let other = try await stores.accounts.createTenant(name: "Other", plan: nil).id
            let theirs = Brand(color: try BrandColor("#00ff00"))
            #expect(try await stores.brands.set(theirs, for: other))
            let member = try await self.member(.member, house)
            for (method, path) in [
                ("GET", Self.path), ("PATCH", Self.path), ("DELETE", Self.path), ("PUT", "\(Self.path)/logo"),
            ] {
                #expect(try await house.call(method, path).status == 403, "\(method)")
                #expect(try await call(method, path, member, house).status == 403, "\(method)")
            }
            let admin = try await self.member(.admin, house)
            #expect(try await call("GET", Self.path, admin, house).json["color"] == .null)
            #expect(try await call("DELETE", Self.path, admin, house).status == 200)
            #expect(try await stores.brands.brand(of: other) == theirs)
        }
    }
}
