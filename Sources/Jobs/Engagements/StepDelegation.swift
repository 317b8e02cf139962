import Crew
import Domain
import PostgresClient
import Queue
import Stores

/// Books an answer that asks colleagues instead of being the document, and the answers of those who were asked
/// (engine 3.9).
struct StepDelegation {
    private let step: StepInProgress
    private let planned: PlannedTask
    private let provider: String

    init(_ step: StepInProgress, _ planned: PlannedTask, by provider: String) {
        self.step = step
        self.planned = planned
        self.provider = provider
    }

    private var run: Run.ID { step.run }
    private var task: String { step.task }

    // MARK: The question

    /// The questions become tasks, or nobody gets work and the task writes its document itself.
    func settle(_ reply: DelegationReply, _ end: RunLedger.CallEnd) async throws {
        guard planned.refused == nil else {
            let error = "the answer asks colleagues a second time instead of being the document"
            return try await StepFailure(step, planned).fail(task: error, booking: end)
        }
        guard try await !step.context.services.stores.runs.isEnding(run) else {
            return try await StepFailure(step, planned).fail(task: "the run is ending: nobody is asked", booking: end)
        }
        switch try await decision(reply, end) {
        case .asks(let questions): try await ask(questions, end)
        case .unusable(let why): try await refuse(why, end)
        }
    }

    private func decision(_ reply: DelegationReply, _ end: RunLedger.CallEnd) async throws -> DelegationReply {
        if let why = step.delegationRule(planned, by: provider).refusal { return .unusable(why) }
        let runs = step.context.services.stores.runs
        guard case .asks(let questions) = reply, let room = try await runs.room(in: run, during: end.call) else {
            return reply
        }
        let fits = DelegationRule.hasRoom(
            left: room.left - end.cost,
            reservation: room.reservation,
            openTasks: room.openTasks,
            questions: questions.count
        )
        return fits ? reply : .unusable(DelegationRule.noRoom)
    }

    private func ask(_ questions: [DelegatedQuestion], _ end: RunLedger.CallEnd) async throws {
        let lines = questions.map { question in
            RunEvent.log(agent: planned.agentSlug, "\(task) asks \(question.to): \(question.line(160))")
        }
        let rows = try planned.answering(questions).map(StartCrew.row)
        let session = step.context.handOver.session
        try await step.settle(
            [
                RunLedger.book(end, of: run, announcing: lines + [.cost]),
                RunLedger.delegate(task, of: run, to: rows, questions: questions, cost: end.cost),
            ],
            [CrewFollowUps.answers(to: task, of: run, handOverTo: session)],
            goingOnUnder: session
        )
    }

    private func refuse(_ why: String, _ end: RunLedger.CallEnd) async throws {
        let line = RunEvent.log(agent: planned.agentSlug, "\(task) may not ask colleagues: \(why)")
        let next = try NewJob(
            CrewStep(run: run, task: task),
            tenant: step.context.job.tenant,
            uniqueKey: CrewStep.uniqueKey(run, task)
        )
        try await step.context.settle(
            writing: [
                RunLedger.book(end, of: run, announcing: [line, .cost]),
                RunLedger.refuseDelegation(of: task, run, why: why, cost: end.cost),
            ],
            enqueuing: [Ledger.insert([next])]
        )
    }

    // MARK: The answer

    /// Who was asked has answered: no document, no score, no news for endpoints; the task that asked goes on.
    func keepAnswer(_ text: String, to parent: String, _ end: RunLedger.CallEnd) async throws {
        let words = text.split(whereSeparator: \.isWhitespace).count
        let line = RunEvent.log(agent: planned.agentSlug, "Answered \(parent): \(task) (\(words) words)")
        let session = step.context.handOver.session
        try await step.settle(
            [
                RunLedger.book(end, of: run, announcing: [line, .cost]),
                RunLedger.keepAnswer(text.replacing("\0", with: "\u{FFFD}"), of: task, run, cost: end.cost),
            ],
            [CrewFollowUps.next(of: run, after: task, handOverTo: session)],
            goingOnUnder: session
        )
    }
}

extension StepInProgress {
    /// Whether the task may ask, with a model of this provider.
    func delegationRule(_ planned: PlannedTask, by provider: String) -> DelegationRule {
        DelegationRule(
            planned,
            hasDraft: input.draft != nil,
            provider: provider,
            isOn: context.services.models.allowsDelegation
        )
    }
}
