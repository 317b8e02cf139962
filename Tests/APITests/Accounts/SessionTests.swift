import Domain
import Foundation
import HTTPTypes
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("Sessions and members", .serialized)
struct SessionTests {
    private func credentials(_ email: String, _ password: String) -> String {
        JSON.object(["email": .string(email), "password": .string(password)]).text
    }

    @Test("S-2, S-4: who logs in gets a cookie that browsers keep to themselves, and is known by it")
    func logIn() async throws {
        try await APIUnderTest.run(settings: .forTests(publicURL: "https://crew.example/app")) { api in
            let reply = try await api.post("/api/auth/login", credentials(api.email, APIUnderTest.password), [:])
            #expect(reply.status == 200)
            #expect(reply.body["user"]?["email"]?.stringValue == api.email && reply.body["role"] == "owner")
            #expect(reply.body["tenant"] == ["id": .string(api.tenant.rawValue), "name": "T"])
            let cookie = reply.header("Set-Cookie") ?? ""
            for part in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] { #expect(cookie.contains("; \(part)")) }
            let me = try await api.get("/api/auth/me", ["Cookie": "theme=dark; \(reply.cookie ?? "")"])
            #expect(me.status == 200 && me.body["auth"] == "cookie" && me.body["scopes"] == ["read_write"])
            #expect(try await api.get("/api/auth/me").body["auth"] == "api_key")
        }
    }

    @Test("S-2: a wrong password and an unknown e-mail get the same answer")
    func wrong() async throws {
        try await APIUnderTest.run { api in
            let wrong = try await api.post("/api/auth/login", credentials(api.email, "not the password"), [:])
            let unknown = try await api.post("/api/auth/login", credentials("x@y.example", "not the password"), [:])
            #expect(wrong.status == 401 && wrong.body == ["error": "Invalid email or password"])
            #expect(unknown.status == wrong.status && unknown.text == wrong.text)
            #expect(wrong.cookie == nil)
            #expect(try await api.post("/api/auth/login", "{}", [:]).status == 400)
        }
    }

    @Test("S-3: a session ends with logout, when it is idle, when it is old, and with its member")
    func ends() async throws {
        try await APIUnderTest.run { api in
            let owner = try await api.logIn()
            #expect(try await api.get("/api/billing", owner).status == 200)
            #expect(try await api.post("/api/auth/logout", "", owner).status == 200)
            #expect(try await api.get("/api/billing", owner).status == 401)

            let postgres = api.world.postgres
            let idle = try await api.logIn()
            _ = try await postgres.query("UPDATE sessions SET seen_at = now() - interval '6 days'")
            #expect(try await api.get("/api/billing", idle).status == 200)
            _ = try await postgres.query("UPDATE sessions SET seen_at = seen_at - interval '7 days'")
            #expect(try await api.get("/api/billing", idle).status == 401)

            let old = try await api.logIn()
            _ = try await postgres.query("UPDATE sessions SET expires_at = now()")
            #expect(try await api.get("/api/billing", old).status == 401)

            let (id, member) = try await api.member(.member)
            #expect(try await api.get("/api/billing", member).status == 200)
            let admin = try await api.logIn()
            let suspended = try await api.servers[0](.patch, "/api/team/\(id)", #"{"status":"suspended"}"#, admin)
            #expect(suspended.status == 200 && suspended.body["status"] == "suspended")
            // D-9: below viewer, which is known and may do nothing, not even what needs no more than a session.
            let refused = try await api.get("/api/billing", member)
            #expect(refused.status == 403 && refused.body == ["error": "Insufficient permissions"])
            let password = #"{"current":"a","new":"b"}"#
            #expect(try await api.post("/api/auth/password", password, member).status == 403)
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, member).status == 403)
            #expect(try await api.get("/api/auth/me", member).status == 403)
            _ = try await api.servers[0](.patch, "/api/team/\(id)", #"{"status":"active"}"#, admin)
            #expect(try await api.get("/api/billing", member).status == 200)
            _ = try await api.servers[0](.delete, "/api/team/\(id)", nil, admin)
            #expect(try await api.get("/api/billing", member).status == 401)
        }
    }

    @Test("X-3: neither password nor session token is in the database")
    func secrets() async throws {
        try await APIUnderTest.run { api in
            let cookie = try await api.logIn()["Cookie"] ?? ""
            let hashes = try await api.world.postgres.query("SELECT password_hash FROM users")
            #expect(try hashes.first?.decode(String.self).hasPrefix("$y$jBT$") == true)
            let token = String(cookie.split(separator: "=")[1])
            let stored = try await api.world.postgres.query("SELECT encode(token_hash, 'hex') FROM sessions")
            #expect(try stored.first?.decode(String.self) != token)
        }
    }

    @Test("X-14: a browser's write from another site is refused, from our own pages it is not")
    func origin() async throws {
        try await APIUnderTest.run(settings: .forTests(publicURL: "https://crew.example")) { api in
            let owner = try await api.logIn()
            for origin in ["https://evil.example", "null", "http://crew.example", "https://crew.example.evil.example"] {
                let headers = owner.merging(["Origin": origin]) { $1 }
                let reply = try await api.post("/api/engagements", APIUnderTest.draft, headers)
                #expect(reply.status == 403 && reply.body == ["error": "Cross-site request blocked"])
            }
            let own = owner.merging(["Origin": "https://crew.example"]) { $1 }
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, own).status == 201)
            let key = api.bearer(api.key, ["Origin": "https://evil.example"])
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, key).status == 201)
            #expect(
                try await api.get("/api/engagements", owner.merging(["Origin": "https://evil.example"]) { $1 }).status
                    == 200
            )
        }
    }

    @Test("X-4: what each role may do", arguments: Role.allCases)
    func roles(role: Role) async throws {
        try await APIUnderTest.run { api in
            let cookie = role == .owner ? try await api.logIn() : try await api.member(role).cookie
            #expect(try await api.get("/api/engagements", cookie).status == 200)
            #expect(try await api.get("/api/team", cookie).status == 200)
            let write = try await api.post("/api/engagements", APIUnderTest.draft, cookie)
            #expect(write.status == (role >= .member ? 201 : 403))
            if role == .viewer { #expect(write.body == ["error": "Write access required"]) }
            let manage = role >= .admin
            #expect(try await api.get("/api/api-keys", cookie).status == (manage ? 200 : 403))
            let invite = try await api.post("/api/team", #"{"email":"n@t.example","role":"viewer"}"#, cookie)
            #expect(invite.status == (manage ? 201 : 403))
        }
    }

    @Test("S-8: an admin adds people, changes and removes them, but not the owner")
    func team() async throws {
        try await APIUnderTest.run { api in
            let admin = try await api.member(.admin).cookie
            let added = try await api.post("/api/team", #"{"email":"New@T.example","role":"viewer"}"#, admin)
            let id = added.body["id"]?.stringValue ?? ""
            let password = added.body["initialPassword"]?.stringValue ?? ""
            #expect(try await api.post("/api/team", #"{"email":"new@t.example"}"#, admin).status == 409)
            let person = try await api.logIn("new@t.example", password)
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, person).status == 403)
            #expect(try await api.servers[0](.patch, "/api/team/\(id)", #"{"role":"member"}"#, admin).status == 200)
            #expect(try await api.post("/api/engagements", APIUnderTest.draft, person).status == 201)
            let list = try await api.get("/api/team", admin)
            let keys: Set = ["id", "email", "name", "role", "status", "lastLoginAt", "invitedBy", "createdAt"]
            #expect(list.body["members"]?.arrayValue?.count == 3)
            #expect(
                list.body["members"]?.arrayValue?.allSatisfy { Set($0.objectValue?.keys.map(\.self) ?? []) == keys }
                    == true
            )
            #expect(try await api.servers[0](.delete, "/api/team/\(id)", nil, admin).status == 200)
            #expect(try await api.get("/api/billing", person).status == 401)
            #expect(try await api.servers[0](.delete, "/api/team/\(id)", nil, admin).status == 404)
            let owner = list.body["members"]?.arrayValue?.first { $0["role"] == "owner" }?["id"]?.stringValue ?? ""
            #expect(try await api.servers[0](.delete, "/api/team/\(owner)", nil, admin).status == 409)
            #expect(try await api.servers[0](.patch, "/api/team/\(id)", #"{"role":"owner"}"#, admin).status == 400)
        }
    }

    @Test("a new password ends all sessions but the one that set it")
    func password() async throws {
        try await APIUnderTest.run { api in
            let (first, second) = (try await api.logIn(), try await api.logIn())
            let short = try await api.post("/api/auth/password", #"{"current":"a long password","new":"short"}"#, first)
            #expect(short.status == 400)
            let wrong = try await api.post("/api/auth/password", #"{"current":"x","new":"another password"}"#, first)
            #expect(wrong.status == 403)
            let body = #"{"current":"a long password","new":"another password"}"#
            let changed = try await api.post("/api/auth/password", body, first)
            #expect(changed.status == 200)
            #expect(try await api.get("/api/billing", ["Cookie": changed.cookie ?? ""]).status == 200)
            for ended in [first, second] { #expect(try await api.get("/api/billing", ended).status == 401) }
            _ = try await api.logIn(nil, "another password")
        }
    }

    @Test("S-1: sign-up is closed unless the operator opens it, and an e-mail is taken once")
    func signUp() async throws {
        let body = #"{"email":"me@new.example","password":"a long password","name":"Me","tenantName":"New"}"#
        try await APIUnderTest.run { api in
            let refused = try await api.post("/api/auth/signup", body, [:])
            #expect(refused.status == 403)
        }
        try await APIUnderTest.run(settings: .forTests(signupIsOpen: true)) { api in
            let made = try await api.post("/api/auth/signup", body, [:])
            #expect(made.status == 201 && made.body["role"] == "owner")
            let me = ["Cookie": made.cookie ?? ""]
            #expect(try await api.get("/api/engagements", me).body == [])
            let refused = try await api.post("/api/engagements", APIUnderTest.draft, me)
            #expect(refused.body == ["error": "Active subscription required"])
            #expect(try await api.post("/api/auth/signup", body, [:]).status == 409)
            #expect(try await api.post("/api/auth/signup", #"{"email":"x"}"#, [:]).status == 400)
        }
    }
}
