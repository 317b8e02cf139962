import Crew
import Domain
import PostgresClient
import Queue
import Stores
import Synchronization

/// What stands between a step and a provider: the fleet's marks as the step has read them, and what it tells the others.
///
/// A provider that is all right costs no statement here.
struct ProviderGate {
    enum Admission {
        /// The call may go out, with this.
        case go(CallPass)
        /// Not before this is over.
        case wait(Duration)
        /// The provider is all right, but its rate is used up for so long.
        case paced(Duration)
    }

    let health: ProviderHealth
    private let accounts: [String: ProviderMarks.Account]
    private let context: JobContext
    private var postgres: Postgres { context.queue.postgres }

    /// - Parameter marks: as ``ProviderMarks/column`` has them; those of other keys are left out.
    init(_ marks: JSON?, _ context: JobContext) {
        let accounts = context.services.models.accounts
        self.accounts = accounts
        self.context = context
        health = ProviderHealth(
            (marks?.arrayValue ?? []).compactMap(Self.mark).filter { accounts[$0.account.provider] == $0.account }
                .map(\.mark)
        )
    }

    private static func mark(_ json: JSON) -> (account: ProviderMarks.Account, mark: ProviderMark)? {
        guard let provider = json["provider"]?.stringValue, let account = json["account"]?.stringValue,
            let state = json["state"]?.stringValue.flatMap(ProviderMark.State.init(rawValue:))
        else { return nil }
        func seconds(_ key: String) -> Duration { .seconds(max(0, json[key]?.doubleValue ?? 0)) }
        let mark = ProviderMark(
            provider: provider,
            state: state,
            left: seconds("left"),
            probing: seconds("probing"),
            reason: json["reason"]?.stringValue ?? "",
            version: json["version"]?.intValue ?? 0
        )
        return (ProviderMarks.Account(provider: provider, id: account), mark)
    }

    // MARK: Before a call

    /// Whether a call may go out now. The first one after a pause is a probe: only one worker of the fleet makes it. A
    /// provider without a rate costs nothing here.
    func admission(to route: ModelRoute, for request: ModelRequest) async throws -> Admission {
        let standing = health.standing(of: route.provider)
        switch standing {
        case .held(let left): return .wait(left + Self.jitter())
        case .down: return .wait(FaultPolicy.probeEvery)
        case .free, .probe: break
        }
        let rates = context.queue.rates
        var toll: RateToll?
        if let bucket = context.services.models.bucket(of: route) {
            switch await rates.take(bucket, tokens: TokenBound.prompt(request) + request.maxOutput) {
            case .taken(let taken): toll = taken
            case .refused(let wait): return .paced(wait + Self.jitter(after: wait))
            }
        }
        guard standing == .probe, let account = accounts[route.provider] else { return .go(CallPass(toll, rates)) }
        let claimed = try await postgres.query(ProviderMarks.claimProbe(account, for: FaultPolicy.probeEvery))
        guard claimed.first != nil else {
            CallPass(toll, rates).unused()
            return .wait(ProviderHealth.glance + Self.jitter())
        }
        return .go(CallPass(toll, rates, heard: listener(route.provider, account)))
    }

    /// Those at the end of a line of more than a minute are all sent away for one: they must not come back together.
    private static func jitter(after wait: Duration) -> Duration {
        wait < .seconds(60) ? jitter() : .seconds(Double.random(in: 0..<30))
    }

    private static func jitter() -> Duration { .seconds(Double.random(in: 0..<1)) }

    /// A rate limit is over with the first word of an answer; a breaker waits for the whole of it.
    private func listener(_ provider: String, _ account: ProviderMarks.Account) -> @Sendable (String) -> Void {
        guard let mark = health[provider], mark.state == .paused else { return { _ in } }
        let lift = ProviderMarks.lift(account, version: mark.version)
        let postgres = postgres
        let hasHeard = Once()
        return { _ in
            guard hasHeard.first() else { return }
            // A task of its own, because words arrive on the connection's thread, which must not wait for Postgres.
            Task { _ = try? await postgres.query(lift) }
        }
    }

    /// For the log and the job: why the step waits.
    func reason(_ provider: String) -> String {
        "waiting for the provider \(provider)" + (health[provider].map { ": \($0.reason)" } ?? "")
    }

    /// Why a run fails whose only providers reject the key; nil where none does.
    var rejection: String? {
        guard let provider = health.down.min() else { return nil }
        return """
            \(FaultPolicy.rejected): \(provider) did not accept the key before. Change the key, or lift the mark with \
            `groundcrew providers clear \(provider)`
            """
    }

    /// Why a run fails whose provider was held for too long.
    func exhausted(_ provider: String) -> String {
        let minutes = FaultPolicy.patience.components.seconds / 60
        let words = health[provider].map { " (\($0.reason))" } ?? ""
        return "Provider \(provider) was not available for \(minutes) minutes\(words). Start the run again later"
    }

    /// The rate is used up: the slot is given back and no attempt is spent. A rate is no fault, so patience has no end; the
    /// run's log says it once for each job.
    func pace(
        _ route: ModelRoute,
        _ wait: Duration,
        _ task: String,
        of run: Run.ID,
        by agent: String
    ) async throws -> Outcome {
        let words = context.services.models.bucket(of: route)?.words ?? ""
        let reason = "waiting for the provider \(route.provider): its rate\(words) is used up"
        let line = RunEvent.log(agent: agent, "\(task): \(reason)")
        _ = try await postgres.pipeline([
            RunLedger.tellOfPace(line, of: task, run, job: context.job.id), RunLedger.forgetHold(of: task, run),
        ])
        return .snooze(wait, reason)
    }

    // MARK: After a call

    /// Forgets what was known before the call, now that it was answered. Its bill is booked whatever becomes of this.
    func answered(by provider: String) async {
        guard let mark = health[provider], let account = accounts[provider] else { return }
        _ = try? await postgres.query(ProviderMarks.lift(account, version: mark.version))
    }

    /// What all workers should know after a failed call. A model that a caller chose may be at fault itself, so its faults
    /// tell nobody else anything but to wait: one tenant must not close a provider to all.
    func notes(_ mark: StepVerdict.Mark?, _ route: ModelRoute, _ fault: ModelFault) -> [SQL] {
        guard let mark, let account = accounts[route.provider] else { return [] }
        if route.reason == .override, !mark.isPause { return [] }
        let (model, reason) = (route.model, fault.description)
        switch mark {
        case .pause(let time): return [ProviderMarks.pause(account, for: time, model: model, reason: reason)]
        case .down: return [ProviderMarks.down(account, model: model, reason: reason)]
        case .fault:
            let note = ProviderMarks.fault(
                account,
                threshold: FaultPolicy.breakerThreshold,
                probeEvery: FaultPolicy.probeEvery,
                model: model,
                reason: reason
            )
            return [note]
        }
    }
}

/// True once.
private final class Once: Sendable {
    private let isUsed = Mutex(false)

    func first() -> Bool {
        isUsed.withLock { isUsed in
            defer { isUsed = true }
            return !isUsed
        }
    }
}

extension RateBucket {
    /// ` of 60 requests and 200000 tokens a minute`.
    fileprivate var words: String {
        let parts = [requests.map { "\($0) requests" }, tokens.map { "\($0) tokens" }].compactMap { $0 }
        return parts.isEmpty ? "" : " of \(parts.joined(separator: " and ")) a minute"
    }
}
