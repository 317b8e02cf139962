import Foundation
import Stores
import Testing

@Suite("Signed URLs")
struct SignedURLTests {
    private let urls = SignedURLs(secret: Array(0..<32))
    private let path = SignedURLs.downloadPath(of: "attachments/ab/abc")
    private let grant = SignedURLs.Grant(mimeType: "text/markdown", filename: "ä b.md")

    private func token(_ url: String) -> String { String(url.split(separator: "=", maxSplits: 1)[1]) }

    @Test("A-16: what was granted is got until the end, and every call gives another URL")
    func granted() throws {
        let url = try urls.signed(path, method: "GET", grant, until: 1000)
        #expect(url.hasPrefix("/storage/v1/object/sign/attachments/ab/abc?token="))
        #expect(try urls.grant(token(url), path: path, method: "GET", at: 999) == grant)
        #expect(throws: SignedURLs.Refusal.expired) {
            try urls.grant(token(url), path: path, method: "GET", at: 1000)
        }
        #expect(try urls.signed(path, method: "GET", grant, until: 1000) != url)
    }

    @Test("A token says nothing of its grant")
    func opaque() throws {
        let secret = SignedURLs.Grant(mimeType: "video/mp4", maxBytes: 5, tenant: "tenant-of-the-buyer")
        let sealed = token(try urls.signed(path, method: "PUT", secret, until: 1000))
        let first = sealed.prefix { $0 != "." }.replacing("-", with: "+").replacing("_", with: "/")
        let bytes = try #require(Data(base64Encoded: first + String(repeating: "=", count: (4 - first.count % 4) % 4)))
        #expect(!String(decoding: bytes, as: UTF8.self).contains("tenant"))
    }

    @Test("A token of the releases before, whose grant could be read, still opens")
    func readable() throws {
        let old =
            "abcdefghijkleyJtYXhCeXRlcyI6NSwibWltZVR5cGUiOiJ2aWRlb1wvbXA0IiwidGVuYW50IjoidCJ9"
            + ".1000.64VdBsuoSNqSQ1HJqqVYBjE5me2PWxt6LIGf5JCu-wQ"
        let grant = SignedURLs.Grant(mimeType: "video/mp4", maxBytes: 5, tenant: "t")
        #expect(try urls.grant(old, path: path, method: "PUT", at: 999) == grant)
    }

    @Test("A-17: any character changed in token, path or method, or another secret, is refused")
    func tampered() throws {
        let token = token(try urls.signed(path, method: "GET", grant, until: 1000))
        for index in token.indices {
            for other in ["A", "B", "0", "1", ".", "-"] where String(token[index]) != other {
                let changed = token.replacingCharacters(at: index, with: other)
                #expect(throws: SignedURLs.Refusal.invalid, "\(changed)") {
                    try urls.grant(changed, path: path, method: "GET", at: 0)
                }
            }
        }
        for (other, method) in [(path + "d", "GET"), (String(path.dropLast()), "GET"), (path, "PUT")] {
            #expect(throws: SignedURLs.Refusal.invalid) { try urls.grant(token, path: other, method: method, at: 0) }
        }
        #expect(throws: SignedURLs.Refusal.invalid) {
            try SignedURLs(secret: Array(1..<33)).grant(token, path: path, method: "GET", at: 0)
        }
        for bad in ["", ".", "..", "a.b.c", "a.1.c", token + ".", token + "="] {
            #expect(throws: SignedURLs.Refusal.invalid, "\(bad)") {
                try urls.grant(bad, path: path, method: "GET", at: 0)
            }
        }
    }
}

extension String {
    fileprivate func replacingCharacters(at index: Index, with text: String) -> String {
        self[..<index] + text + self[self.index(after: index)...]
    }
}
