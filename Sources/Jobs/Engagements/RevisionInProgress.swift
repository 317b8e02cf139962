import Crew
import Domain
import FoundationEssentials
import PostgresClient
import Queue
import Stores

/// One try of a revision: one call, whose whole answer is the document's next version.
struct RevisionInProgress {
    let run: Run.ID
    let task: String
    let context: JobContext
    let input: StepInput
    let wanted: QualityStore.Revision

    private var models: Models { context.services.models }
    private var gate: ProviderGate { ProviderGate(input.marks, context) }

    func go() async throws -> Outcome {
        let planned = try JSONDecoder().decode(PlannedTask.self, from: Data(input.config.utf8))
        guard wanted.document.utf8.count <= RevisionPrompt.longestDocument else {
            return try await giveUp(planned, "the document is too long to be written anew")
        }
        let files = try await StepContext.of(planned, input, context.services.stores.context)
        let gate = gate
        guard let call = prepare(planned, files, gate.health) else {
            return try await giveUp(planned, "the budget allows no revision")
        }
        let name = call.choice.route.provider
        guard let provider = models[name] else {
            return .snooze(.seconds(5), "this worker has no provider \(name)")
        }
        let pass: CallPass
        switch try await gate.admission(to: call.choice.route, for: call.request) {
        case .wait: return try await hold(planned, name, gate)
        case .paced(let time):
            return try await gate.pace(call.choice.route, time, task, of: run, by: planned.agentSlug)
        case .go(let leave): pass = leave
        }
        guard let id = try await reserve(planned, call) else {
            pass.unused()
            // A pause or a stop refuses it too; what is awaited begins anew with a resume.
            guard try await context.services.stores.runs.isRunning(run) else {
                return .cancel("the run is not at work")
            }
            return try await giveUp(planned, "the budget was taken by other steps")
        }
        let reply: ModelReply
        do {
            reply = try await pass.through(provider).complete(call.request, onText: pass.heard)
            await gate.answered(by: name)
        } catch {
            let tries = ReviseTask.policy.retry.attempts
            if let next = try await call.end(error, call: id, of: run, tries: tries, gate, context) { return next }
            return try await giveUp(planned, error.description)
        }
        return try await book(reply, call, id, planned, files)
    }

    /// The provider is held for the whole fleet: no attempt is spent, and when patience is over the document stays as it is.
    private func hold(_ planned: PlannedTask, _ provider: String, _ gate: ProviderGate) async throws -> Outcome {
        if let held = input.heldFor, held >= FaultPolicy.patience {
            return try await giveUp(planned, gate.exhausted(provider))
        }
        if input.heldFor == nil { _ = try await context.queue.postgres.query(ProviderMarks.hold(task, of: run)) }
        return .snooze(.seconds(Double.random(in: 1..<3)), gate.reason(provider))
    }

    // MARK: The call

    /// Nil where no call fits what is left: tasks that are not written yet come first.
    private func prepare(_ planned: PlannedTask, _ files: StepContext, _ health: ProviderHealth) -> SideCall? {
        for down in [health.avoided, health.down] {
            var question = RevisionPrompt.question(
                planned,
                document: wanted.document,
                budgetLeft: input.budgetLeft,
                down: down
            )
            guard let wish = models.routing.candidates(for: question).first else { continue }
            let draft = request(planned, files, wish, question.maxOutput)
            question.promptTokens = TokenBound.prompt(draft)
            guard let choice = models.routing.choose(question), choice.maxOutput == draft.maxOutput else { continue }
            let others = NanoUSD(nanos: choice.reservation.nanos * Int64(wanted.openTasks))
            guard choice.reservation + others <= input.budgetLeft else { continue }
            let isSame = choice.route.model == wish.model
            return SideCall(
                request: isSame ? draft : request(planned, files, choice.route, choice.maxOutput),
                choice: choice
            )
        }
        return nil
    }

    private func request(
        _ planned: PlannedTask,
        _ files: StepContext,
        _ route: ModelRoute,
        _ maxOutput: Int
    ) -> ModelRequest {
        RevisionPrompt.request(
            PromptEngagement(name: input.name, client: input.client, brief: input.brief, manifest: files.manifest),
            PromptParts(
                task: planned,
                dependencies: input.dependencies.map { dependency in
                    PromptDependency(id: dependency.id, title: dependency.id, output: dependency.output)
                },
                chunks: files.chunks,
                nonce: CUID.make(),
                model: models.routing.prices.price(of: route.model, provider: route.provider),
                maxOutput: maxOutput,
                origin: ModelRequest.Origin(
                    run: run.rawValue,
                    task: task,
                    step: 2,
                    attempt: context.job.failures + 1
                )
            ),
            document: wanted.document,
            tenths: wanted.tenths,
            notes: wanted.feedback
        )
    }

    private func reserve(_ planned: PlannedTask, _ call: SideCall) async throws -> Int? {
        let draft = context.draft(of: call.choice, for: task, of: run, by: planned.agentSlug)
        return try await context.bill(RunLedger.beginRevision(draft)).first?.decode(Int.self)
    }

    // MARK: The end

    private func book(
        _ reply: ModelReply,
        _ call: SideCall,
        _ id: Int,
        _ planned: PlannedTask,
        _ files: StepContext
    ) async throws -> Outcome {
        let charge = models.routing.prices.charge(for: reply, to: call.request, provider: call.choice.route.provider)
        let end = RunLedger.CallEnd(
            call: id,
            state: .settled,
            cost: charge.cost,
            inputTokens: charge.usage.input,
            outputTokens: charge.usage.output,
            isEstimated: charge.isEstimated
        )
        // Half a document is no better version of a whole one, and a request to ask colleagues is none.
        let isRequest = DelegationReply(reply.text, from: planned.agentSlug) != nil
        guard reply.finish == .stop, !isRequest else {
            _ = try await context.queue.postgres.query(RunLedger.end(end, of: run))
            let why = isRequest ? "the answer asks colleagues instead" : "the new version was not written to its end"
            return try await giveUp(planned, why)
        }
        do {
            try await settle(reply.text, end, call.choice.route, planned, files)
        } catch  where error is Fenced || error is Moot {
            // Too late for the document, never for the bill.
            try await context.bill(RunLedger.end(end, of: run))
            throw error
        }
        return .settled
    }

    private func settle(
        _ text: String,
        _ end: RunLedger.CallEnd,
        _ route: ModelRoute,
        _ planned: PlannedTask,
        _ files: StepContext
    ) async throws {
        let words = text.split(whereSeparator: \.isWhitespace).count
        let events: [RunEvent] = [
            .log(agent: planned.agentSlug, "Revised task: \(task) (\(words) words)"), .cost,
        ]
        let news = AnnounceDocument.ready(task, of: run)
        let cited = files.citations(in: text).map { [ContextLedger.cite($0.json.text, task: task, of: run)] } ?? []
        try await context.settle(
            writing: [
                RunLedger.book(end, of: run, announcing: events),
                RunLedger.endRevision(
                    of: task,
                    run,
                    model: route.model,
                    reason: route.reason.rawValue,
                    cost: end.cost
                ),
                RunLedger.addDeliverable(
                    filename: planned.filename,
                    content: text.replacing("\0", with: "\u{FFFD}"),
                    words: words,
                    task: task,
                    of: run
                ),
                RunLedger.awaitObservation(of: task, run),
            ] + cited + news.facts,
            enqueuing: news.jobs + [CrewFollowUps.observations(of: run, task: task), CrewFollowUps.finish(of: run)]
        )
    }

    private func giveUp(_ planned: PlannedTask, _ why: String) async throws -> Outcome {
        try await context.settle(
            writing: [
                RunLedger.lockRun(run),
                RunLedger.append([.log(agent: planned.agentSlug, "No revision of \(task): \(why)")], to: run),
                RunLedger.giveUpRevision(of: task, run),
            ],
            enqueuing: [CrewFollowUps.finish(of: run)]
        )
        return .settled
    }
}
