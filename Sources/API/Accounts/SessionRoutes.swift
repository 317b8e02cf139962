import Domain
import HTTPTypes
import PostgresClient
import Stores

/// `/api/auth/…`: logging in and out with a password (contract S-1 to S-4, decision D-2).
struct SessionRoutes: Routes {
    let stores: Stores
    /// Browsers send the cookie over TLS only.
    let cookieIsSecure: Bool
    /// `GC_SIGNUP=open`: anybody may make a tenant.
    let signupIsOpen: Bool

    var table: [Route] {
        [
            .post("/api/auth/signup", access: .open, tier: .auth, use: signUp),
            .post("/api/auth/login", access: .open, tier: .auth, use: logIn),
            .post("/api/auth/logout", access: .session, use: logOut),
            .post("/api/auth/password", access: .session, tier: .auth, use: changePassword),
            .get("/api/auth/me", access: .profile, use: me),
        ]
    }

    @Sendable
    func signUp(_ request: APIRequest) async throws -> APIResponse {
        guard signupIsOpen else { throw APIError.forbidden("Sign-up is closed. Ask the operator for an account.") }
        let body = try await request.object()
        guard let email = AccountFields.email(body["email"]), let name = AccountFields.name(body["name"]),
            let tenantName = AccountFields.name(body["tenantName"])
        else { throw APIError.invalid("email, name and tenantName are required") }
        let hash = try await stores.passwords.hash(try AccountFields.newPassword(body["password"], "password"))
        let made: AccountStore.NewTenant
        do {
            made = try await stores.accounts.createTenant(
                name: tenantName,
                plan: nil,
                email: email,
                ownerName: name,
                passwordHash: hash
            )
        } catch let error as PostgresError where error.isUniqueViolation {
            throw APIError.conflict("An account with this e-mail exists already")
        }
        let owner = Caller(
            tenant: made.id,
            user: made.owner,
            key: nil,
            scopes: Role.owner.scopes,
            mode: .live,
            role: .owner
        )
        guard let person = try await stores.sessions.person(owner) else { throw APIError.internal }
        let token = try await stores.sessions.open(made.owner, made.id)
        return withCookie(.created(.object(person.members)), token, SessionStore.longestSeconds)
    }

    @Sendable
    func logIn(_ request: APIRequest) async throws -> APIResponse {
        let body = try await request.object()
        guard let email = body["email"]?.stringValue, let password = body["password"]?.stringValue else {
            throw APIError.invalid("email and password are required")
        }
        guard let (token, person) = try await stores.sessions.logIn(email: email, password: password) else {
            throw APIError.refused("Invalid email or password")
        }
        // A session that the browser had before is not left behind.
        if let old = request.sessionToken { try await stores.sessions.logOut(token: old) }
        return withCookie(.ok(.object(person.members)), token, SessionStore.longestSeconds)
    }

    @Sendable
    func logOut(_ request: APIRequest) async throws -> APIResponse {
        if let token = request.sessionToken { try await stores.sessions.logOut(token: token) }
        return withCookie(.ok(["success": true]), "", 0)
    }

    @Sendable
    func changePassword(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let body = try await request.object()
        guard let current = body["current"]?.stringValue else { throw APIError.invalid("current is required") }
        let new = try AccountFields.newPassword(body["new"], "new")
        guard try await stores.sessions.changePassword(caller.user, current: current, new: new) else {
            throw APIError.forbidden("The current password is wrong")
        }
        // All sessions have ended; the one who changed it goes on with a new one.
        let token = try await stores.sessions.open(caller.user, caller.role.map { _ in caller.tenant })
        return withCookie(.ok(["success": true]), token, SessionStore.longestSeconds)
    }

    @Sendable
    func me(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        guard let person = try await stores.sessions.person(caller) else { throw APIError.unauthorized }
        var members = person.members
        members["auth"] = caller.key == nil ? "cookie" : "api_key"
        members["scopes"] = .array(caller.scopes.map(\.rawValue).sorted().map(JSON.string))
        return .ok(.object(members))
    }

    private func withCookie(_ response: APIResponse, _ token: String, _ seconds: Int) -> APIResponse {
        var response = response
        let secure = cookieIsSecure ? "; Secure" : ""
        response.headers[.setCookie] =
            "\(Authentication.cookie)=\(token); Path=/; HttpOnly; SameSite=Lax; Max-Age=\(seconds)\(secure)"
        return response
    }
}

extension SessionPerson {
    fileprivate var members: [String: JSON] {
        [
            "user": ["id": .string(user.rawValue), "email": .string(email), "name": .string(name)],
            "tenant": tenant.map { JSON.object(["id": .string($0.rawValue), "name": .optional(tenantName)]) } ?? .null,
            "role": .optional(role?.rawValue),
        ]
    }
}
