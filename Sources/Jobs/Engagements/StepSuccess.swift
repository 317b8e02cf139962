import Crew
import Domain
import PostgresClient
import Queue
import Stores

/// Books an answer: its cost always, and the document unless the run has ended meanwhile.
struct StepSuccess {
    private let step: StepInProgress
    private let planned: PlannedTask
    /// Who wrote it.
    private let provider: String

    init(_ step: StepInProgress, _ planned: PlannedTask, by provider: String) {
        self.step = step
        self.planned = planned
        self.provider = provider
    }

    private var run: Run.ID { step.run }
    private var task: String { step.task }

    func book(_ reply: ModelReply, _ charge: ModelCharge, call: Int) async throws {
        let end = RunLedger.CallEnd(
            call: call,
            state: .settled,
            cost: charge.cost,
            inputTokens: charge.usage.input,
            outputTokens: charge.usage.output,
            isEstimated: charge.isEstimated
        )
        do {
            try await patiently { try await settle(reply, charge.cost, end) }
        } catch  where error is Fenced || error is Moot {
            // Too late for the document, never for the bill.
            try await patiently { try await step.context.bill(RunLedger.end(end, of: run)) }
            throw error
        }
    }

    /// An answer is paid for, so Postgres being away for a moment does not throw it away. Doing it again is safe: the fence
    /// lets it through once.
    private func patiently(_ write: () async throws -> Void) async throws {
        while true {
            do {
                return try await write()
            } catch let error as PostgresError where error.isUnavailable && !Task.isCancelled {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
            }
        }
    }

    private func settle(_ reply: ModelReply, _ cost: NanoUSD, _ end: RunLedger.CallEnd) async throws {
        let text = (step.input.draft ?? "") + reply.text
        let verdict = FinishPolicy.verdict(on: reply.finish, continuations: step.input.draft == nil ? 0 : 1)
        if verdict != .resume, let asking = DelegationReply(text, from: planned.agentSlug) {
            return try await StepDelegation(step, planned, by: provider).settle(asking, end)
        }
        switch verdict {
        case .accept: try await complete(text, cost, end)
        case .acceptWithNote(let note): try await complete(text + "\n\n" + note + "\n", cost, end)
        case .resume: try await resume(text, cost, end)
        }
    }

    private func complete(_ text: String, _ cost: NanoUSD, _ end: RunLedger.CallEnd) async throws {
        if let parent = planned.askedBy {
            return try await StepDelegation(step, planned, by: provider).keepAnswer(text, to: parent, end)
        }
        let words = text.split(whereSeparator: \.isWhitespace).count
        let events: [RunEvent] = [
            .log(agent: planned.agentSlug, "Completed task: \(task) (\(words) words)"),
            .taskComplete(task),
            .cost,
        ]
        let session = step.context.handOver.session
        let document = RunLedger.addDeliverable(
            filename: planned.filename,
            content: text.replacing("\0", with: "\u{FFFD}"),
            words: words,
            task: task,
            of: run
        )
        let writing =
            [
                RunLedger.book(end, of: run, announcing: events),
                RunLedger.completeTask(task, of: run, cost: cost, document, score: score(of: text)),
            ] + (isForModel ? [RunLedger.awaitObservation(of: task, run)] : []) + citations(text)
            + news.flatMap(\.facts)
        let enqueuing =
            news.flatMap(\.jobs) + (isForModel ? [CrewFollowUps.observations(of: run, task: task)] : [])
            + [CrewFollowUps.next(of: run, after: task, handOverTo: session)]
        try await step.settle(writing, enqueuing, goingOnUnder: session)
    }

    /// Events for endpoints, where there are any; a score of a model's comes with its own.
    private var news: [AnnounceDocument] {
        guard step.input.isFollowed else { return [] }
        let isScored = step.context.services.models.judge(of: provider) == .heuristic
        return [.ready(task, of: run)] + (isScored ? [.scored(task, of: run)] : [])
    }

    // MARK: The observer

    private var judge: Models.Observer { step.context.services.models.judge(of: provider) }

    /// A model judges in a job of its own, which the end of the run waits for.
    private var isForModel: Bool { judge == .model }

    /// Code judges at once.
    private func score(of text: String) -> SQL? {
        guard judge == .heuristic else { return nil }
        let score = HeuristicJudge.score(text, task: planned, brief: step.input.brief)
        return RunLedger.keepScore(
            tenths: score.tenths,
            rubric: score.rubric,
            feedback: score.feedback,
            judge: HeuristicJudge.name,
            task: task,
            of: run
        )
    }

    private func citations(_ text: String) -> [SQL] {
        guard let check = step.files.citations(in: text) else { return [] }
        return [ContextLedger.cite(check.json.text, task: task, of: run)]
    }

    /// The answer was cut off at the length limit: one more step of the same task goes on from there.
    private func resume(_ text: String, _ cost: NanoUSD, _ end: RunLedger.CallEnd) async throws {
        let next = try NewJob(
            CrewStep(run: run, task: task),
            tenant: step.context.job.tenant,
            uniqueKey: CrewStep.uniqueKey(run, task)
        )
        try await step.context.settle(
            writing: [
                RunLedger.lockRun(run),
                RunLedger.end(end, of: run),
                RunLedger.keepDraft(text.replacing("\0", with: "\u{FFFD}"), of: task, run, cost: cost),
                RunLedger.append([.log(agent: planned.agentSlug, "\(task): going on after the length limit")], to: run),
            ],
            enqueuing: [Ledger.insert([next])]
        )
    }
}
