import Domain
import HTTPTypes
import Hummingbird
import Stores

/// `Idempotency-Key` on any POST with a credential (contract T-7 to T-9): the same request again gets the same bytes, and
/// has no second effect.
///
/// A route needs to do nothing for it: whatever it writes through the stores and the queue becomes part of one transaction
/// with the stored answer. One whose answer waits for something after that names it (``Route/finish``): it is stored half, and
/// again when it is whole. One that waits for a job says so (``Route/waits``): its answer is stored when it is there, and
/// requests that come in the meantime join the job, which is unique by ``APIRequest/onceKey``.
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
        try Self.check(key)
        let body = try await asked.bytes()
        let head = "\(request.method.rawValue)\n\(request.uri.string)\n"
        let once = IdempotencyStore.Request(
            principal: caller.principal,
            key: key,
            content: Array(head.utf8) + Array(body.readableBytesView)
        )
        var asked = asked.holding(body)
        asked.onceKey = once.name
        let finish = row.finish.map { finish in
            { @Sendable [asked] (half: IdempotencyStore.Answer) in
                Self.kept(await finish(asked, APIResponse(HTTPResponse.Status(code: half.status), text: half.body)))
            }
        }
        return try await answer(once, waits: row.waits, finish) { [asked] in
            await Self.response(row, asked, refusal)
        }
    }

    /// For a route that streams its body.
    ///
    /// - Parameters:
    ///   - content: what makes the request the same one, its body's digest included.
    ///   - perform: everything that it changes; an ``APIError`` of it is remembered like any other answer.
    func answer(
        content: [UInt8],
        key: String,
        caller: Caller,
        perform: @escaping @Sendable () async throws -> APIResponse
    ) async throws -> APIResponse {
        try Self.check(key)
        let once = IdempotencyStore.Request(principal: caller.principal, key: key, content: content)
        return try await answer(once) {
            do {
                return try await perform()
            } catch let error as APIError {
                return error.response(for: .plain)
            }
        }
    }

    private static func check(_ key: String) throws {
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw APIError.invalid("Idempotency-Key must be 1 to 255 visible ASCII characters")
        }
    }

    private func answer(
        _ once: IdempotencyStore.Request,
        waits: Bool = false,
        _ finish: IdempotencyStore.Finish? = nil,
        _ perform: @escaping @Sendable () async throws -> APIResponse
    ) async throws -> APIResponse {
        let keeping: @Sendable () async throws -> (APIResponse, IdempotencyStore.Answer?) = {
            let response = try await perform()
            return (response, Self.isKept(response.status) ? Self.kept(response) : nil)
        }
        let outcome =
            waits
            ? try await store.afterwards(once, keeping)
            : try await store.once(once, finishing: finish, perform: keeping)
        switch outcome {
        case .performed(let response): return response
        case .finished(let answer): return APIResponse(HTTPResponse.Status(code: answer.status), text: answer.body)
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
