import AsyncHTTPClient
package import Domain
private import Glibc
import NIOCore
private import NIOHTTP1

extension GuardedClient: WebhookSender {
    package func post(_ post: WebhookPost) async -> WebhookReply {
        do {
            let url = try GuardedURL(post.url, guard: addresses)
            let deadline = NIODeadline.now() + .nanoseconds(limit.nanoseconds)
            return try await withClient(for: url, until: deadline) { client in
                try await Self.exchange(post, url, client, deadline)
            }
        } catch let refusal as GuardedURL.Refusal {
            return .failed(refusal.description)
        } catch let fault as Fault {
            return .failed(fault.text)
        } catch {
            return .failed("the connection failed: it was given up")
        }
    }

    private static func exchange(
        _ post: WebhookPost,
        _ url: GuardedURL,
        _ client: HTTPClient,
        _ deadline: NIODeadline
    ) async throws -> WebhookReply {
        var request = HTTPClientRequest(url: url.parts.canonical)
        request.method = .POST
        request.body = .bytes(post.body)
        for (name, value) in WebhookSignature.headers(of: post, at: Glibc.time(nil)) {
            request.headers.add(name: name, value: value)
        }
        let response = try await client.execute(request, deadline: deadline)
        var excerpt = ByteBuffer()
        for try await part in response.body {
            excerpt.writeImmutableBuffer(part)
            if excerpt.readableBytes >= excerptLimit { break }
        }
        let text = String(decoding: excerpt.readableBytesView.prefix(excerptLimit), as: UTF8.self)
        return .answered(status: Int(response.status.code), excerpt: text.filter { $0 != "\0" })
    }

    private static let excerptLimit = 1024
}

extension Duration {
    /// Whole nanoseconds; only for spans of a request.
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
