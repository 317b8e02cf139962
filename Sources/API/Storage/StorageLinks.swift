import Domain
import Glibc
import Stores

/// URLs under which somebody without a credential reads or writes one object for a while.
struct StorageLinks: Sendable {
    let urls: SignedURLs
    /// `GC_PUBLIC_URL`; nil takes the request's own host.
    let publicURL: String?
    /// How long a download works (contract A-16: an hour).
    let seconds: Int

    /// A new one at every call, and ours wherever the bytes lie: only so it ends with its object, and a browser is told what
    /// not to do with it.
    func download(of key: String, as presentation: BlobPresentation, asked request: APIRequest) throws -> String {
        let grant = SignedURLs.Grant(mimeType: presentation.mimeType, filename: presentation.filename)
        let until = Glibc.time(nil) + seconds
        return try base(request) + urls.signed(SignedURLs.downloadPath(of: key), method: "GET", grant, until: until)
    }

    /// Where the object may be written once, by PUT.
    ///
    /// - Parameters:
    ///   - tenant: whose object it becomes.
    ///   - mimeType: what may be sent; `video/*` is any video.
    ///   - maxBytes: how much of it.
    ///   - seconds: how long it may be begun.
    func upload(
        to key: String,
        for tenant: Tenant.ID,
        mimeType: String,
        maxBytes: Int,
        seconds: Int,
        asked request: APIRequest
    ) throws -> String {
        let grant = SignedURLs.Grant(mimeType: mimeType, maxBytes: maxBytes, tenant: tenant.rawValue)
        let until = Glibc.time(nil) + seconds
        return try base(request) + urls.signed(SignedURLs.uploadPath(of: key), method: "PUT", grant, until: until)
    }

    private func base(_ request: APIRequest) -> String {
        guard var url = publicURL else { return "http://\(request.authority)" }
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }
}
