import Crew
import Domain
import FoundationEssentials
import PostgresClient
import Queue
import Stores

/// One try of a judgement: at most two calls, the second to mend an answer that could not be used.
struct ObservationInProgress {
    let run: Run.ID
    let task: String
    let context: JobContext
    let input: QualityStore.Observation

    static let agent = "quality_observer"

    private var models: Models { context.services.models }
    private var gate: ProviderGate { ProviderGate(input.marks, context) }

    func go() async throws -> Outcome {
        let planned = try JSONDecoder().decode(PlannedTask.self, from: Data(input.config.utf8))
        var repair: String?
        for _ in 0..<2 {
            guard let call = prepare(planned, repair) else { return try await giveUp("the budget allows no judgement") }
            guard let provider = models[call.choice.route.provider] else {
                return .snooze(.seconds(5), "this worker has no provider \(call.choice.route.provider)")
            }
            let pass: CallPass
            switch try await gate.admission(to: call.choice.route, for: call.request) {
            case .wait(let time): return try await hold(call.choice.route.provider, time)
            case .paced(let time) where repair == nil:
                return try await gate.pace(call.choice.route, time, task, of: run, by: Self.agent)
            case .paced:
                // Coming back later means asking for the first answer again, and paying for it each time.
                return try await giveUp("the judge's answer could not be used, and the provider's rate is used up")
            case .go(let leave): pass = leave
            }
            guard let id = try await reserve(call) else {
                pass.unused()
                // A pause or a stop refuses it too; what is awaited begins anew with a resume.
                guard try await context.services.stores.runs.isRunning(run) else {
                    return .cancel("the run is not at work")
                }
                return try await giveUp("the budget was taken by other steps")
            }
            let reply: ModelReply
            do {
                reply = try await pass.through(provider).complete(call.request, onText: pass.heard)
                await gate.answered(by: call.choice.route.provider)
            } catch {
                let tries = ObserveTask.policy.retry.attempts
                if let next = try await call.end(error, call: id, of: run, tries: tries, gate, context) { return next }
                return try await giveUp(error.description)
            }
            let booking = booking(reply, call, id)
            do {
                let score = try ObserverVerdict.score(reply.text, of: input.document, task: planned, brief: input.brief)
                try await settle(score, call, booking)
                return .settled
            } catch let unusable as ObserverVerdict.Unusable {
                _ = try await context.queue.postgres.query(RunLedger.end(booking, of: run, isStep: false))
                repair = unusable.description
            }
        }
        return try await giveUp("the judge's answer could not be used: \(repair ?? "")")
    }

    /// The judge is held for the whole fleet: no attempt is spent, and when patience is over the run goes on without.
    private func hold(_ provider: String, _ time: Duration) async throws -> Outcome {
        if let held = input.heldFor, held >= FaultPolicy.patience { return try await giveUp(gate.exhausted(provider)) }
        if input.heldFor == nil { _ = try await context.queue.postgres.query(ProviderMarks.hold(task, of: run)) }
        return .snooze(time, gate.reason(provider))
    }

    // MARK: The call

    /// Judges are of another family than the writer, where there are two that answer.
    private func prepare(_ planned: PlannedTask, _ repair: String?) -> SideCall? {
        let writer = models.routing.prices.provider(of: input.writer)
        let health = gate.health
        for down in [health.avoided.union([writer].compactMap { $0 }), health.avoided, health.down] {
            var question = RouteQuestion(
                kind: .observe,
                rubric: planned.rubric,
                tier: .observer,
                promptTokens: 0,
                maxOutput: ObserverPrompt.outputLimit,
                budgetLeft: input.budgetLeft,
                down: down
            )
            guard let wish = models.routing.candidates(for: question).first else { continue }
            let draft = request(planned, wish.model, repair)
            question.promptTokens = TokenBound.prompt(draft)
            guard let choice = models.routing.choose(question) else { continue }
            var request = choice.route.model == wish.model ? draft : request(planned, choice.route.model, repair)
            request.maxOutput = choice.maxOutput
            return SideCall(request: request, choice: choice)
        }
        return nil
    }

    private func request(_ planned: PlannedTask, _ model: String, _ repair: String?) -> ModelRequest {
        ObserverPrompt.request(
            input.document,
            task: planned,
            brief: input.brief,
            model: model,
            nonce: CUID.make(),
            repair: repair,
            origin: ModelRequest.Origin(
                run: run.rawValue,
                task: task,
                step: repair == nil ? 1 : 2,
                attempt: context.job.failures + 1
            )
        )
    }

    private func reserve(_ call: SideCall) async throws -> Int? {
        let draft = context.draft(of: call.choice, for: task, of: run, by: Self.agent)
        return try await context.bill(RunLedger.beginObservation(draft)).first?.decode(Int.self)
    }

    // MARK: The end

    private func booking(_ reply: ModelReply, _ call: SideCall, _ id: Int) -> RunLedger.CallEnd {
        let charge = models.routing.prices.charge(for: reply, to: call.request, provider: call.choice.route.provider)
        return RunLedger.CallEnd(
            call: id,
            state: .settled,
            cost: charge.cost,
            inputTokens: charge.usage.input,
            outputTokens: charge.usage.output,
            isEstimated: charge.isEstimated
        )
    }

    private func settle(_ score: QualityScore, _ call: SideCall, _ end: RunLedger.CallEnd) async throws {
        let news = AnnounceDocument.scored(task, of: run)
        let revises = input.isFirst && score.tenths < models.reviseBelow
        let line =
            "Scored \(task): \(score.tenths / 10).\(score.tenths % 10) of 10 (\(score.rubric.rawValue))"
            + (revises ? "; it will be revised once" : "")
        do {
            try await context.settle(
                writing: [
                    RunLedger.book(
                        end,
                        of: run,
                        announcing: [.log(agent: Self.agent, line), .cost],
                        isStep: false
                    ),
                    RunLedger.keepScore(
                        tenths: score.tenths,
                        rubric: score.rubric,
                        feedback: score.feedback,
                        judge: call.choice.route.model,
                        task: task,
                        of: run
                    ),
                    RunLedger.endObservation(of: task, run),
                ] + news.facts + (revises ? [RunLedger.awaitRevision(of: task, run)] : []),
                enqueuing: news.jobs + (revises ? [CrewFollowUps.revisions(of: run, task: task)] : [])
                    + [CrewFollowUps.finish(of: run)]
            )
        } catch  where error is Fenced || error is Moot {
            // Too late for the score, never for the bill.
            try await context.bill(RunLedger.end(end, of: run, isStep: false))
            throw error
        }
    }

    private func giveUp(_ why: String) async throws -> Outcome {
        try await context.settle(
            writing: [
                RunLedger.lockRun(run),
                RunLedger.append([.log(agent: Self.agent, "No score for \(task): \(why)")], to: run),
                RunLedger.endObservation(of: task, run),
            ],
            enqueuing: [CrewFollowUps.finish(of: run)]
        )
        return .settled
    }
}
