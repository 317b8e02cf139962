import HTTPTypes
import Hummingbird

/// Whether a browser sends a request from one of our own pages (contract X-14).
struct OwnOrigin: Sendable {
    /// `https://crew.example`, from `GC_PUBLIC_URL`; nil takes the request's own host.
    private let origin: String?
    /// The public address is https, so cookies are sent over TLS only.
    let isSecure: Bool

    init(publicURL: String?) {
        let url = publicURL?.lowercased()
        isSecure = url?.hasPrefix("https://") ?? false
        origin = url.map { url in
            // Scheme and authority: up to the third slash.
            url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).prefix(3).joined(separator: "/")
        }
    }

    /// - Throws: 403 where the browser says that the request comes from elsewhere.
    func check(_ request: Request) throws {
        guard let sent = request.headers[.origin]?.lowercased() else { return }
        let host = request.head.authority?.lowercased() ?? ""
        let own = origin.map { [$0] } ?? ["http://\(host)", "https://\(host)"]
        guard own.contains(sent) else { throw APIError.forbidden("Cross-site request blocked") }
    }
}
