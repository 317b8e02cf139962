import Domain
import HTTPTypes
import Hummingbird
import Stores

/// `Idempotency-Key` on any POST with a credential (contract T-7 to T-9): the same request again gets the same bytes, and
/// has no second effect.
///
/// A route needs to do nothing for it: whatever it writes through the stores and the queue becomes part of one transaction
/// with the stored answer. A route that waits for a job, or whose work takes longer than a query, must not be a POST.
struct Idempotency: Sendable {
    let store: IdempotencyStore

    /// - Parameter refusal: what the caller is told of an error; it is remembered like any other answer.
    func answer(
        _ row: Route,
        _ asked: APIRequest,
        _ request: Request,
        key: String,
        caller: Caller,
        refusal: @escaping @Sendable (any Error) -> APIResponse
    ) async throws -> APIResponse {
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw APIError.invalid("Idempotency-Key must be 1 to 255 visible ASCII characters")
        }
        let body = try await asked.bytes()
        let head = "\(request.method.rawValue)\n\(request.uri.string)\n"
        let once = IdempotencyStore.Request(
            principal: caller.principal,
            key: key,
            content: Array(head.utf8) + Array(body.readableBytesView)
        )
        let asked = asked.holding(body)
        let outcome = try await store.once(once) {
            let response = await Self.response(row, asked, refusal)
            return (response, Self.isKept(response.status) ? Self.kept(response) : nil)
        }
        switch outcome {
        case .performed(let response): return response
        case .replayed(let answer): return Self.replay(answer)
        case .differs: throw APIError.conflict("This Idempotency-Key was used for another request")
        case .busy: throw APIError.conflict("A request with this Idempotency-Key is still under way")
        }
    }

    private static func response(
        _ row: Route,
        _ asked: APIRequest,
        _ refusal: @Sendable (any Error) -> APIResponse
    ) async -> APIResponse {
        do {
            return try await row.answer(asked)
        } catch {
            return refusal(error)
        }
    }

    /// What a second try may put right is not remembered (contract T-9).
    private static func isKept(_ status: HTTPResponse.Status) -> Bool {
        ![400, 401, 403, 413, 429].contains(status.code) && status.code < 500
    }

    private static func kept(_ response: APIResponse) -> IdempotencyStore.Answer {
        IdempotencyStore.Answer(status: response.status.code, body: response.text)
    }

    private static func replay(_ answer: IdempotencyStore.Answer) -> APIResponse {
        var response = APIResponse(HTTPResponse.Status(code: answer.status), text: answer.body)
        response.headers[.idempotentReplayed] = "true"
        return response
    }
}
