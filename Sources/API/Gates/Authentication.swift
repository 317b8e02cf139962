import Domain
import HTTPTypes
import Hummingbird
import Stores

/// Who is asking: `Authorization: Bearer gt_live_…` or `gt_test_…`, or the cookie of a session (contract X-2).
struct Authentication: Sendable {
    let accounts: AccountStore
    let sessions: SessionStore

    static let cookie = "gc_session"

    init(_ stores: Stores) {
        accounts = stores.accounts
        sessions = stores.sessions
    }

    /// A request with an `Authorization` header is judged by that alone; a cookie never opens the collection family.
    ///
    /// - Throws: 401 where the credential is missing, malformed, unknown, revoked or expired.
    func caller(of request: Request, family: Family) async throws -> Caller {
        if let header = request.headers[.authorization] {
            guard let key = Self.key(header), let caller = try await accounts.caller(key: key) else {
                throw APIError.unauthorized
            }
            return caller
        }
        guard family == .plain, let token = Self.token(request), let caller = try await sessions.caller(token: token)
        else { throw APIError.unauthorized }
        return caller
    }

    /// The session's token as the cookie has it; nil where there is none, or it has not the shape of one.
    static func token(_ request: Request) -> String? {
        for header in request.headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == cookie else { continue }
                return isHex(parts[1], 64) ? String(parts[1]) : nil
            }
        }
        return nil
    }

    /// The shape is checked before Postgres is asked: 72 characters, `gt_live_` or `gt_test_` and 64 hex digits.
    private static func key(_ header: String) -> String? {
        let parts = header.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let key = parts[1]
        guard key.hasPrefix("gt_live_") || key.hasPrefix("gt_test_"), isHex(key.dropFirst(8), 64) else { return nil }
        return String(key)
    }

    private static func isHex(_ text: Substring, _ count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    true
                default: false
                }
            }
    }
}
