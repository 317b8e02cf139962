import Domain
import Jobs
import Queue
import Stores

/// `/api/v1/webhook-endpoints` and `/api/v1/webhook-deliveries` (contract T-19, T-20, S-20 to S-24).
struct WebhookRoutes: Routes {
    let stores: Stores
    let queue: JobQueue
    let sealer: Sealer
    let addresses: AddressGuard
    let throttle: DenialThrottle

    var table: [Route] {
        [
            .get("/api/v1/webhook-endpoints", access: .webhooks, use: list),
            .post("/api/v1/webhook-endpoints", access: .webhooks, use: create),
            .patch("/api/v1/webhook-endpoints/:id", access: .webhooks, use: update),
            .delete("/api/v1/webhook-endpoints/:id", access: .webhooks, use: delete),
            .post("/api/v1/webhook-endpoints/:id/rotate-secret", access: .webhooks, use: rotate),
            .post("/api/v1/webhook-endpoints/:id/test", access: .webhooks, use: test),
            .get("/api/v1/webhook-endpoints/:id/deliveries", access: .webhooks, use: deliveries),
            .post("/api/v1/webhook-deliveries/:id/redeliver", access: .webhooks, use: redeliver),
        ]
    }

    @Sendable
    func list(_ request: APIRequest) async throws -> APIResponse {
        let endpoints = try await stores.webhooks.list(request.caller)
        return .ok(["data": .array(endpoints.map { .object($0.members) })])
    }

    @Sendable
    func create(_ request: APIRequest) async throws -> APIResponse {
        let body = try await request.object()
        guard let text = body["url"]?.stringValue else { throw APIError.invalid("url must be a string") }
        let tenant = try request.caller.tenant
        try await throttle.check(tenant)
        let url: GuardedURL
        do {
            url = try GuardedURL(text, guard: addresses)
        } catch {
            await throttle.count(error, of: tenant)
            throw APIError.invalid(error.description)
        }
        let events = try Self.events(body["events"]) ?? ["*"]
        let secret = WebhookStore.newSecret()
        let endpoint = try await stores.webhooks.create(
            url: url.text,
            events: events,
            secret: secret,
            sealer: sealer,
            for: request.caller
        )
        guard let endpoint else { throw APIError.conflict("An endpoint with this url exists already") }
        return .created(["data": .object(endpoint.members(with: secret))])
    }

    @Sendable
    func update(_ request: APIRequest) async throws -> APIResponse {
        let id: WebhookEndpoint.ID = request.id()
        let known = try await stores.webhooks.list(request.caller)
        guard known.contains(where: { $0.id == id }) else { throw APIError.noRoute }
        let body = try await request.object()
        let events = try Self.events(body["events"])
        let enabled = body["enabled"]?.boolValue
        guard body["enabled"] == nil || enabled != nil else { throw APIError.invalid("enabled must be true or false") }
        let caller = try request.caller
        let endpoint = try await queue.transaction { transaction in
            let endpoint = try await stores.webhooks.update(
                request.id(),
                enabled: enabled,
                events: events,
                for: caller,
                in: transaction.sql
            )
            if let endpoint, endpoint.enabled {
                try await EnqueueDeliveries.finish(transaction, heldBy: endpoint.id)
            }
            return endpoint
        }
        guard let endpoint else { throw APIError.noRoute }
        return .ok(["data": .object(endpoint.members)])
    }

    @Sendable
    func delete(_ request: APIRequest) async throws -> APIResponse {
        let id: WebhookEndpoint.ID = request.id()
        guard try await stores.webhooks.delete(id, for: request.caller) else { throw APIError.noRoute }
        return .ok(["data": ["id": .string(id.rawValue), "deleted": true]])
    }

    @Sendable
    func rotate(_ request: APIRequest) async throws -> APIResponse {
        let secret = WebhookStore.newSecret()
        let endpoint = try await stores.webhooks.rotate(
            request.id(),
            to: secret,
            sealer: sealer,
            for: request.caller
        )
        guard let endpoint else { throw APIError.noRoute }
        return .ok(["data": .object(endpoint.members(with: secret))])
    }

    @Sendable
    func test(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let delivery = try await queue.transaction { transaction in
            let delivery = try await stores.webhooks.test(request.id(), for: caller, in: transaction.sql)
            if let delivery { try await EnqueueDeliveries.finish(transaction, of: delivery) }
            return delivery
        }
        guard let delivery else { throw APIError.noRoute }
        return .ok(["data": ["delivery_id": .string(delivery.rawValue), "type": "endpoint.test"]])
    }

    @Sendable
    func deliveries(_ request: APIRequest) async throws -> APIResponse {
        guard let deliveries = try await stores.webhooks.deliveries(request.id(), for: request.caller) else {
            throw APIError.noRoute
        }
        return .ok(["data": .array(deliveries.map { .object($0.members) })])
    }

    @Sendable
    func redeliver(_ request: APIRequest) async throws -> APIResponse {
        let caller = try request.caller
        let delivery = try await queue.transaction { transaction in
            let delivery = try await stores.webhooks.redeliver(request.id(), for: caller, in: transaction.sql)
            if let delivery { try await EnqueueDeliveries.finish(transaction, of: delivery.id) }
            return delivery
        }
        guard let delivery else { throw APIError.noRoute }
        return .ok(["data": .object(delivery.members)])
    }

    /// - Returns: nil where the body names none.
    private static func events(_ json: JSON?) throws -> [String]? {
        guard let json else { return nil }
        let names = json.arrayValue?.compactMap(\.stringValue) ?? []
        guard !names.isEmpty, names.count == json.arrayValue?.count,
            names.allSatisfy({ $0 == "*" || WebhookLedger.types.contains($0) })
        else {
            let known = WebhookLedger.types.sorted().joined(separator: ", ")
            throw APIError.invalid("events must be a list of \"*\" or of: \(known)")
        }
        return names
    }
}

extension WebhookEndpoint {
    fileprivate var members: [String: JSON] {
        [
            "id": .string(id.rawValue), "url": .string(url), "enabled": .bool(enabled),
            "events": .array(events.map(JSON.string)), "created_at": .string(createdAt.seconds),
            "failing_since": .optional(failingSince?.seconds),
        ]
    }

    /// The one answer that holds the secret.
    fileprivate func members(with secret: String) -> [String: JSON] {
        members.merging([
            "signing_secret": .string(secret),
            "_note": "Store signing_secret securely — it will not be shown again.",
        ]) { $1 }
    }
}

extension WebhookDelivery {
    fileprivate var members: [String: JSON] {
        [
            "id": .string(id.rawValue), "event_id": .string(event), "type": .string(type), "status": .string(status),
            "attempts": .integer(attempts), "last_status": lastStatus.map(JSON.integer) ?? .null,
            "next_attempt_at": .optional(nextAttemptAt?.seconds),
            "delivered_at": .optional(deliveredAt?.seconds), "created_at": .string(createdAt.seconds),
        ]
    }
}
