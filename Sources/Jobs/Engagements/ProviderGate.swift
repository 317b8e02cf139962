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
        /// The call may go out; the closure wants to hear of its text.
        case go(@Sendable (String) -> Void)
        /// Not before this is over.
        case wait(Duration)
    }

    let health: ProviderHealth
    private let accounts: [String: ProviderMarks.Account]
    private let postgres: Postgres

    /// - Parameter marks: as ``ProviderMarks/column`` has them; those of other keys are left out.
    init(_ marks: JSON?, _ context: JobContext) {
        let accounts = context.services.models.accounts
        self.accounts = accounts
        postgres = context.queue.postgres
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

    /// Whether a call may go out now. The first one after a pause is a probe: only one worker of the fleet makes it.
    func admission(to provider: String) async throws -> Admission {
        switch health.standing(of: provider) {
        case .free: return .go { _ in }
        case .held(let left): return .wait(left + Self.jitter())
        case .down: return .wait(FaultPolicy.probeEvery)
        case .probe:
            guard let account = accounts[provider] else { return .go { _ in } }
            let claimed = try await postgres.query(ProviderMarks.claimProbe(account, for: FaultPolicy.probeEvery))
            guard claimed.first != nil else { return .wait(ProviderHealth.glance + Self.jitter()) }
            return .go(listener(provider, account))
        }
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
