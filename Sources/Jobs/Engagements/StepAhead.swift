import Crew
import Domain
import FoundationEssentials
import PostgresClient
import Queue
import Stores

/// The first call of the step that follows, booked by the transaction that ends its predecessor: a chain pays for one commit
/// per step instead of two.
struct StepAhead: Sendable {
    let booking: SQL
    let planned: PlannedTask
    let call: StepInProgress.Call

    /// Bytes. The run's row is locked while the prompt is made, and digests of long documents take their time.
    private static let mostMaterial = 65_536

    private static func material(_ input: StepInput) -> Int {
        input.dependencies.reduce(input.brief.utf8.count) { $0 + $1.output.utf8.count }
    }

    /// Nil where the step has to look at something first, or cannot go on here.
    init?(_ input: StepInput, _ job: ClaimedJob, run: Run.ID, after context: JobContext) {
        guard input.runStatus == .running, input.taskStatus == .ready, input.draft == nil, input.marks == nil,
            input.contextGeneration == nil, Self.material(input) <= Self.mostMaterial,
            let planned = try? JSONDecoder().decode(PlannedTask.self, from: Data(input.config.utf8)),
            planned.rerun == nil
        else { return nil }
        let step = StepInProgress(
            run: run,
            task: input.task,
            context: context.following(job),
            input: input,
            files: .none
        )
        guard let call = try? step.prepare(planned, StepVariation(), ProviderHealth([])),
            context.services.models[call.choice.route.provider] != nil,
            context.services.models.bucket(of: call.choice.route) == nil
        else { return nil }
        self.planned = planned
        self.call = call
        booking = step.booking(planned, call)
    }
}

extension StepInProgress {
    /// Commits the end of this step. Where its worker makes the next step, too, that one's first call is booked by the same
    /// commit.
    ///
    /// - Parameter session: to which `enqueuing` hands the first of its jobs; nil lets others have their turn.
    func settle(_ writing: [SQL], _ enqueuing: [SQL], goingOnUnder session: Int?) async throws {
        guard let session else {
            try await context.settle(writing: writing, enqueuing: enqueuing)
            return
        }
        var parcel: StepParcel?
        let booked = try await context.settle(
            writing: writing,
            enqueuing: enqueuing,
            reading: RunStore.stepInput(of: run, nextUnder: session)
        ) { read, job in
            guard job.kind == JobKind.crewStep.rawValue, let next = try? RunStore.stepInput(read) else { return nil }
            let ahead = StepAhead(next, job, run: run, after: context)
            parcel = StepParcel(for: job, of: run, next, ahead, context)
            return ahead?.booking
        }
        if let parcel { context.handOver.send(along: try parcel.with(booked)) }
    }
}

/// What a step brings along for the one that follows it here.
struct StepParcel: Sendable, Abandonable {
    /// A call that was booked and has not been made yet.
    struct BookedCall: Sendable {
        let id: Int
        let call: StepInProgress.Call
        let planned: PlannedTask
    }

    let input: StepInput
    private(set) var booked: BookedCall?
    private let ahead: StepAhead?
    private let job: Int
    private let run: Run.ID
    private let postgres: Postgres

    init(for job: ClaimedJob, of run: Run.ID, _ input: StepInput, _ ahead: StepAhead?, _ context: JobContext) {
        self.input = input
        self.ahead = ahead
        self.job = job.id
        self.run = run
        postgres = context.queue.postgres
    }

    /// - Parameter result: of ``StepAhead/booking``; without a row the step begins from the start.
    func with(_ result: PostgresResult?) throws -> StepParcel {
        guard let ahead, let id = try result?.first?.decode(Int.self) else { return self }
        var parcel = self
        parcel.booked = BookedCall(id: id, call: ahead.call, planned: ahead.planned)
        return parcel
    }

    /// Nil where this job is another one than it was made for.
    static func of(_ context: JobContext) -> StepParcel? {
        guard let parcel = context.handOver.brought as? StepParcel, parcel.job == context.job.id else { return nil }
        return parcel
    }

    /// The worker stops before the call was made: it cost nothing.
    func abandon() async {
        guard let booked else { return }
        let end = RunLedger.CallEnd(call: booked.id, state: .failed, cost: .zero, fault: RunLedger.neverMade)
        _ = try? await postgres.query(RunLedger.end(end, of: run))
    }
}
