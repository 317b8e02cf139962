/// Fetches a page of the open web for a tenant, and turns it into text (contract A-20…A-29).
package protocol PageFetcher: Sendable {
    /// Resolves once, checks every address and every redirect, reads at most 5 MB after decoding, 15 s in all.
    ///
    /// - Throws: ``FetchFault``, `CancellationError`.
    func fetch(_ url: String) async throws -> FetchedPage
}

/// A page as Markdown.
package struct FetchedPage: Sendable, Equatable {
    /// Of the page itself, else its first heading; nil where it has neither.
    package let title: String?
    /// Readable text, at most 512,000 bytes, cut at a character.
    package let text: String
    /// As the server said it, without parameters.
    package let contentType: String
    package let truncated: Bool
    /// After redirects.
    package let finalURL: String

    package init(title: String?, text: String, contentType: String, truncated: Bool, finalURL: String) {
        self.title = title
        self.text = text
        self.contentType = contentType
        self.truncated = truncated
        self.finalURL = finalURL
    }
}

/// Why a page was not fetched, in words for the caller. No address that a name led to is ever in them.
package enum FetchFault: Error, Equatable, CustomStringConvertible {
    /// The URL itself, or a redirect's, may not be asked for: 400.
    case refused(String)
    /// It could not be had, or holds no text: 422.
    case failed(String)

    package var description: String {
        switch self {
        case .refused(let reason), .failed(let reason): reason
        }
    }
}
