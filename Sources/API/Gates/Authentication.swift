import Domain
import Hummingbird
import Stores

/// Who is asking: `Authorization: Bearer gt_live_…` or `gt_test_…` (contract X-2).
struct Authentication: Sendable {
    let accounts: AccountStore

    /// - Throws: 401 where the credential is missing, malformed, unknown, revoked or expired.
    func caller(of request: Request) async throws -> Caller {
        guard let header = request.headers[.authorization], let key = Self.key(header),
            let caller = try await accounts.caller(key: key)
        else { throw APIError.unauthorized }
        return caller
    }

    /// The shape is checked before Postgres is asked: 72 characters, `gt_live_` or `gt_test_` and 64 hex digits.
    private static func key(_ header: String) -> String? {
        let parts = header.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let key = parts[1]
        guard key.hasPrefix("gt_live_") || key.hasPrefix("gt_test_"), key.utf8.count == 72,
            key.dropFirst(8).allSatisfy({ $0.isHexDigit && $0.isASCII })
        else { return nil }
        return String(key)
    }
}

extension Route.Access {
    /// - Throws: 403 where the caller's scopes do not suffice (contract X-4).
    func check(_ caller: Caller) throws {
        switch self {
        case .open: break
        case .read: guard caller.mayRead else { throw APIError.forbidden("Insufficient permissions") }
        case .write: guard caller.mayWrite else { throw APIError.writeAccess }
        }
    }
}
