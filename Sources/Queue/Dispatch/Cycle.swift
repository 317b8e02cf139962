package import RedisClient

/// What a worker tells Redis of one job it had claimed.
package struct Acknowledgement: Sendable {
    package enum Operation: Sendable {
        case finished
        /// Waits again until `due` (milliseconds since 1970).
        case again(due: Int)
        /// Back to the front, unrun.
        case handBack
    }

    package let ticket: Ticket
    package let operation: Operation
    /// How long the job held its slot: fairness over tenants is by time, not by jobs.
    package let milliseconds: Int

    package init(_ ticket: Ticket, _ operation: Operation, milliseconds: Int = 0) {
        self.ticket = ticket
        self.operation = operation
        self.milliseconds = milliseconds
    }
}

/// An id as Redis handed it out: enough to give it back.
package struct Ticket: Sendable, Hashable {
    package let id: Int
    package let queue: String
    let record: JobRecord
}

/// One queue's part of a cycle.
package struct CycleRequest: Sendable {
    package let queue: String
    package let acknowledgements: [Acknowledgement]
    /// Free slots, at most 1,000; 0 only settles.
    package let want: Int

    package init(queue: String, acknowledgements: [Acknowledgement], want: Int) {
        self.queue = queue
        self.acknowledgements = acknowledgements
        self.want = want
    }
}

package struct CycleReply: Sendable {
    package let claims: [Ticket]
    /// Ready work was left behind.
    package let more: Bool
    /// Until the next delayed job; nil when none waits.
    package let nextDue: Duration?
    package let cancellations: [Int]
}

/// Settling and claiming in one round trip over any number of queues.
extension Dispatch {
    /// Sends all requests in one write.
    ///
    /// - Parameter classOrder: in which order the four classes are served, for example `0123`.
    /// - Returns: one result per request. After a failure the caller must ask ``held(by:)`` before it goes on: Redis may
    ///   have claimed ids for it in a reply that was lost.
    package func cycle(
        _ requests: [CycleRequest],
        session: Int,
        classOrder: String
    ) async -> [Result<CycleReply, RedisError>] {
        guard let generation else { return requests.map { _ in .failure(Self.unverified) } }
        let calls = requests.map { request in
            (
                Scripts.cycle, keys: [keys.prefix(of: request.queue)],
                arguments: Self.arguments(request, generation, session, classOrder)
            )
        }
        let results = await redis.runAll(calls)
        return zip(requests, results).map { request, result in
            result.flatMap { Self.reply($0, queue: request.queue) }
        }
    }

    private static let unverified = RedisError(
        .server(prefix: "GCGEN"),
        "Redis has not been checked against the ledger yet"
    )

    private static func arguments(
        _ request: CycleRequest,
        _ generation: Int,
        _ session: Int,
        _ classOrder: String
    ) -> [String] {
        var arguments = [String(generation), String(session), String(request.want), classOrder]
        var finished: [String] = []
        var shares: [String: (finished: Int, milliseconds: Int)] = [:]
        var others: [String] = []
        for acknowledgement in request.acknowledgements {
            let ticket = acknowledgement.ticket
            shares[ticket.record.tenant, default: (0, 0)].milliseconds += acknowledgement.milliseconds
            let label = [String(ticket.id), ticket.record.tenant, String(ticket.record.dispatchClass)]
            switch acknowledgement.operation {
            case .finished:
                finished.append(String(ticket.id))
                shares[ticket.record.tenant, default: (0, 0)].finished += 1
            case .again(let due): others += label + ["r", String(due)]
            case .handBack: others += label + ["z", "0"]
            }
        }
        arguments.append(String(finished.count))
        arguments += finished
        arguments.append(String(shares.count))
        for (tenant, share) in shares { arguments += [tenant, String(share.finished), String(share.milliseconds)] }
        arguments.append(String(others.count / 5))
        return arguments + others
    }

    private static func reply(_ reply: RedisReply, queue: String) -> Result<CycleReply, RedisError> {
        guard let parts = reply.array, parts.count == 5, let wait = parts[0].integer, let more = parts[2].integer,
            let cancellations = parts[3].array, let claims = parts[4].array
        else { return .failure(RedisError(.protocolViolation, "the cycle script answered something else")) }
        return .success(
            CycleReply(
                claims: tickets(claims, queue: queue),
                more: more == 1,
                nextDue: wait < 0 ? nil : .milliseconds(wait),
                cancellations: cancellations.compactMap(\.integer)
            )
        )
    }

    private static func tickets(_ flat: [RedisReply], queue: String) -> [Ticket] {
        stride(from: 0, to: flat.count - 1, by: 2).compactMap { index in
            guard let id = flat[index].integer, let text = flat[index + 1].string, let record = JobRecord(text) else {
                return nil
            }
            return Ticket(id: id, queue: queue, record: record)
        }
    }

    // MARK: Sessions

    /// Lets a session claim from all queues.
    package func open(session: Int) async throws(RedisError) {
        guard let generation else { throw Self.unverified }
        let calls = queues.map { queue in
            (Scripts.open, keys: [keys.prefix(of: queue)], arguments: [String(generation), String(session)])
        }
        for result in await redis.runAll(calls) { _ = try result.get() }
    }

    /// All that Redis thinks the session holds.
    package func held(by session: Int, queues: [String]) async throws(RedisError) -> [Ticket] {
        guard let generation else { throw Self.unverified }
        let calls = queues.map { queue in
            (Scripts.held, keys: [keys.prefix(of: queue)], arguments: [String(generation), String(session)])
        }
        var tickets: [Ticket] = []
        for (queue, result) in zip(queues, await redis.runAll(calls)) {
            tickets += Self.tickets(try result.get().array ?? [], queue: queue)
        }
        return tickets
    }

    /// Frees what sessions hold in Redis that Postgres does not know as live any more.
    package func releaseEndedSessions() async {
        guard let generation else { return }
        let keys = keys
        let sets = queues.flatMap { [["SMEMBERS", keys.openSessions($0)], ["SMEMBERS", keys.endingSessions($0)]] }
        var holders: [String: Set<Int>] = [:]
        for (index, result) in await redis.pipeline(sets, timeout: nil).enumerated() {
            guard let members = (try? result.get())?.array else { return }
            holders[queues[index / 2], default: []].formUnion(members.compactMap(\.integer))
        }
        let known = Set(holders.values.flatMap(\.self))
        guard !known.isEmpty, let ended = try? await ledger.ended(of: Array(known)), !ended.isEmpty else { return }
        for (queue, sessions) in holders {
            for session in sessions.intersection(ended) { await release(session, queue, generation) }
        }
    }

    private func release(_ session: Int, _ queue: String, _ generation: Int) async {
        let arguments = [String(generation), String(session), "500"]
        var left = 1
        while left > 0 {
            let reply = try? await redis.run(Scripts.release, keys: [keys.prefix(of: queue)], arguments: arguments)
            left = reply?.integer ?? 0
        }
    }

    // MARK: Waiting

    /// Waits on a connection of its own until one of the queues may have work.
    ///
    /// - Returns: the queue, or nil after `timeout`.
    package func wait(
        on connection: RedisBlockingConnection,
        queues: [String],
        timeout: Duration
    ) async throws(RedisError) -> String? {
        let wakes = queues.map(keys.wake)
        guard let popped = try await connection.bzpopmin(keys: wakes, timeout: timeout) else { return nil }
        return wakes.firstIndex(of: popped.key).map { queues[$0] }
    }
}
