import PostgresClient
private import RedisClient

/// Asks callers to come back later while too much waits: their own jobs, or everybody's.
///
/// Only where a caller's request begins new work. What follows from accepted work (next steps, webhooks, retries) is never
/// refused. The look costs one round trip to Redis, which counts as it goes, and one to the ledger for the caps; without
/// Redis the ledger is counted now and then. Callers who ask at the same moment may overstep a cap by their number.
package final class Backpressure: Sendable {
    private let ledger: Ledger
    private let dispatch: Dispatch
    private let standard: WaitingCaps
    private let census: WaitingCensus

    /// - Parameter caps: where no limit is set by name, by plan or for the queue.
    package init(_ ledger: Ledger, _ dispatch: Dispatch, caps: WaitingCaps) {
        self.ledger = ledger
        self.dispatch = dispatch
        standard = caps
        census = WaitingCensus(ledger)
    }

    /// Whether one more job of the tenant may wait in the queue.
    ///
    /// - Returns: nil where it may, or why not and for how long.
    /// - Throws: `PostgresError` where the caps cannot be read.
    package func verdict(on queue: String, tenant: String) async throws -> Overload? {
        let caps = try await caps(queue, tenant)
        guard caps.tenant > 0 || caps.queue > 0 else { return nil }
        let load = try await load(of: queue, tenant: tenant)
        let overload = load.verdict(on: caps, in: queue)
        if overload == nil { census.noteOneMore(in: queue, tenant: tenant) }
        return overload
    }

    private func load(of queue: String, tenant: String) async throws -> WaitingLoad {
        if let load = await dispatch.load(of: queue, tenant: tenant) { return load }
        return try await census.load(of: queue, tenant: tenant)
    }

    private func caps(_ queue: String, _ tenant: String) async throws(PostgresError) -> WaitingCaps {
        let row = try await ledger.postgres.query(
            """
            SELECT (SELECT waiting FROM queue_caps WHERE queue = \(queue)),
                   (SELECT waiting FROM tenant_limits WHERE queue = \(queue) AND tenant = \(tenant))
            """
        ).first
        guard let (queue, tenant) = try row?.decode(Int?.self, Int?.self) else { return standard }
        return WaitingCaps(tenant: tenant ?? standard.tenant, queue: queue ?? standard.queue)
    }
}

extension Dispatch {
    /// What Redis counts of a queue; nil where it is away, full, or not known to agree with the ledger.
    func load(of queue: String, tenant: String) async -> WaitingLoad? {
        if generation == nil { await trustLedger() }
        guard let generation, !isFull else { return nil }
        let arguments = [String(generation), tenant]
        do {
            // A Redis that hangs must not hold up a caller.
            let reply = try await redis.run(
                Scripts.load,
                keys: [keys.prefix(of: queue)],
                arguments: arguments,
                timeout: .milliseconds(500)
            )
            let parts = (reply.array ?? []).compactMap(\.integer)
            guard parts.count == 4 else { return nil }
            return WaitingLoad(
                queue: parts[0],
                tenant: parts[1],
                tenants: max(1, parts[2]),
                perSecond: Double(parts[3]) / 1000
            )
        } catch {
            suspect(error)
            return nil
        }
    }
}
