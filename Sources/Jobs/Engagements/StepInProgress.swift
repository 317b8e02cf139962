import Crew
import Domain
import FoundationEssentials
import PostgresClient
import Queue
import Stores

/// One try of a step: choose, reserve, call, book.
struct StepInProgress {
    enum Next {
        case ended(Outcome)
        case again(StepVariation)
    }

    let run: Run.ID
    let task: String
    let context: JobContext
    let input: StepInput
    let files: StepContext

    private var models: Models { context.services.models }
    private var gate: ProviderGate { ProviderGate(input.marks, context) }

    func go(_ variation: StepVariation) async throws -> Next {
        let planned = try JSONDecoder().decode(PlannedTask.self, from: Data(input.config.utf8))
        let gate = gate
        guard let call = try prepare(planned, variation, gate.health) else {
            return .ended(try await withoutCall(planned, variation, gate))
        }
        guard let provider = models[call.choice.route.provider] else {
            // Another worker may have the key that this one lacks.
            return .ended(.snooze(.seconds(5), "this worker has no provider \(call.choice.route.provider)"))
        }
        let route = call.choice.route
        switch try await gate.admission(to: route, for: call.request) {
        case .wait(let time): return try await hold(route.provider, time, planned, variation, gate)
        case .paced(let time):
            return .ended(try await gate.pace(route, time, task, of: run, by: planned.agentSlug))
        case .go(let pass):
            guard let id = try await reserve(planned, call) else {
                pass.unused()
                return try await lost(variation, planned)
            }
            return try await ask(pass.through(provider), call, id, planned, variation, pass.heard)
        }
    }

    /// Makes the call that the predecessor has booked.
    func go(on booked: StepParcel.BookedCall) async throws -> Next {
        guard let provider = models[booked.call.choice.route.provider] else { return .again(StepVariation()) }
        return try await ask(provider, booked.call, booked.id, booked.planned, StepVariation()) { _ in }
    }

    // MARK: Before the call

    struct Call: Sendable {
        let request: ModelRequest
        let choice: RouteChoice
    }

    /// Nil where the budget allows no call any more. A provider that is held is taken only where there is no other.
    func prepare(_ planned: PlannedTask, _ variation: StepVariation, _ health: ProviderHealth) throws -> Call? {
        let best = try prepare(planned, variation, without: variation.down.union(health.avoided))
        guard best == nil, health.avoided != health.down else { return best }
        return try prepare(planned, variation, without: variation.down.union(health.down))
    }

    private func prepare(
        _ planned: PlannedTask,
        _ variation: StepVariation,
        without down: Set<String>
    ) throws -> Call? {
        let routing = models.routing
        let first = RouteQuestion(task: planned, promptTokens: 0, budgetLeft: nil, down: down)
        guard let wish = routing.candidates(for: first).first else { return nil }
        let draft = request(planned, wish, planned.outputLimit, variation)
        let question = RouteQuestion(
            task: planned,
            promptTokens: TokenBound.prompt(draft),
            budgetLeft: input.budgetLeft,
            down: down
        )
        guard let choice = routing.choose(question) else { return nil }
        let isSame = choice.route.model == wish.model && choice.maxOutput == draft.maxOutput
        let request = isSame ? draft : request(planned, choice.route, choice.maxOutput, variation)
        return Call(request: request, choice: choice)
    }

    /// No call can be made now: the budget is spent, or promised to others that may give some back, or no model fits.
    private func withoutCall(
        _ planned: PlannedTask,
        _ variation: StepVariation,
        _ gate: ProviderGate
    ) async throws -> Outcome {
        let down = variation.down.union(gate.health.down)
        let question = RouteQuestion(task: planned, promptTokens: 0, budgetLeft: nil, down: down)
        guard models.routing.choose(question) != nil else {
            if let rejection = gate.rejection {
                try await StepFailure(self, planned).fail(run: rejection)
                return .settled
            }
            try await StepFailure(self, planned).fail(task: "no model is available for this step")
            return .settled
        }
        guard input.reserved == .zero else { return .snooze(.milliseconds(500), "waiting for reserved budget") }
        try await StepFailure(self, planned).budget()
        return .settled
    }

    private func request(
        _ planned: PlannedTask,
        _ route: ModelRoute,
        _ maxOutput: Int,
        _ variation: StepVariation
    ) -> ModelRequest {
        CrewPrompt.request(
            PromptEngagement(
                name: input.name,
                client: input.client,
                brief: input.brief,
                manifest: files.manifest
            ),
            PromptParts(
                task: planned,
                dependencies: input.dependencies.map { dependency in
                    PromptDependency(id: dependency.id, title: title(dependency.config), output: dependency.output)
                },
                chunks: files.chunks,
                previous: input.draft,
                nonce: CUID.make(),
                model: models.routing.prices.price(of: route.model, provider: route.provider),
                maxOutput: maxOutput,
                origin: ModelRequest.Origin(
                    run: run.rawValue,
                    task: task,
                    step: input.draft == nil ? 1 : 2,
                    attempt: context.job.failures + 1
                ),
                shrink: variation.shrink,
                delegation: delegationRule(planned, by: route.provider).offer
            )
        )
    }

    private func title(_ config: String) -> String {
        (try? JSONDecoder().decode(PlannedTask.self, from: Data(config.utf8)))?.title ?? ""
    }

    /// A task that has its answers, a refusal or a draft goes on; it does not start a second time.
    private func isFirst(_ planned: PlannedTask) -> Bool {
        input.taskStatus == .ready && planned.asked == nil && planned.refused == nil && input.draft == nil
    }

    private func reserve(_ planned: PlannedTask, _ call: Call) async throws -> Int? {
        let booked = try await context.bill(booking(planned, call))
        if isFirst(planned) { context.tell(of: run) }
        return try booked.first?.decode(Int.self)
    }

    /// Its one row is the call's id; no row where the call may not be made.
    func booking(_ planned: PlannedTask, _ call: Call) -> SQL {
        let draft = context.draft(of: call.choice, for: task, of: run, by: planned.agentSlug)
        let events = isFirst(planned) ? [RunEvent.log(agent: planned.agentSlug, "Starting task: \(task)")] : []
        return RunLedger.begin(draft, announcing: events)
    }

    /// The reservation did not go through: the run moved on, the job is not ours any more, or others took the money.
    private func lost(_ variation: StepVariation, _ planned: PlannedTask) async throws -> Next {
        guard variation.races < 20 else {
            return .ended(.snooze(.milliseconds(500), "the budget is being taken by other steps"))
        }
        var next = variation
        next.races += 1
        return .again(next)
    }

    /// The provider is held for the whole fleet: the slot is given back, and no attempt is spent. Another provider is
    /// tried when patience is over, or the run fails.
    private func hold(
        _ provider: String,
        _ time: Duration,
        _ planned: PlannedTask,
        _ variation: StepVariation,
        _ gate: ProviderGate
    ) async throws -> Next {
        let reason = gate.reason(provider)
        if let held = input.heldFor, held >= FaultPolicy.patience {
            guard others(than: provider, planned, variation, gate.health).isEmpty else {
                var next = variation
                next.down.insert(provider)
                return .again(next)
            }
            try await StepFailure(self, planned).fail(run: gate.exhausted(provider))
            return .ended(.settled)
        }
        if input.heldFor == nil {
            let line = RunEvent.log(agent: planned.agentSlug, "\(task): \(reason)")
            _ = try await context.queue.postgres.pipeline([
                RunLedger.appendIfUnderWay([line], to: run), ProviderMarks.hold(task, of: run),
            ])
            context.tell(of: run)
        }
        return .ended(.snooze(time, reason))
    }

    /// Routes to other providers that accept our key.
    private func others(
        than provider: String,
        _ planned: PlannedTask,
        _ variation: StepVariation,
        _ health: ProviderHealth
    ) -> [ModelRoute] {
        let down = variation.down.union(health.down).union([provider])
        return models.routing.candidates(
            for: RouteQuestion(task: planned, promptTokens: 0, budgetLeft: nil, down: down)
        )
    }

    // MARK: The call

    private func ask(
        _ provider: any LanguageModel,
        _ call: Call,
        _ id: Int,
        _ planned: PlannedTask,
        _ variation: StepVariation,
        _ listener: @escaping @Sendable (String) -> Void
    ) async throws -> Next {
        do {
            let reply = try await provider.complete(call.request, onText: listener)
            await gate.answered(by: call.choice.route.provider)
            let charge = models.routing.prices.charge(
                for: reply,
                to: call.request,
                provider: call.choice.route.provider
            )
            try await StepSuccess(self, planned, by: provider.id).book(reply, charge, call: id)
            return .ended(.settled)
        } catch let fault as ModelFault {
            return try await handle(fault, call, id, planned, variation)
        }
    }

    private func handle(
        _ fault: ModelFault,
        _ call: Call,
        _ id: Int,
        _ planned: PlannedTask,
        _ variation: StepVariation
    ) async throws -> Next {
        let provider = call.choice.route.provider
        let gate = gate
        let others = others(than: provider, planned, variation, gate.health)
        let job = context.job
        let before = try await context.services.stores.runs.faults(run, task: task, job: job.id)
        let history = StepHistory(
            failures: job.failures,
            uncounted: max(0, before.calls - job.failures),
            elapsed: before.elapsed,
            hasShrunk: variation.shrink > 0,
            canFailOver: !others.isEmpty
        )
        let verdict = FaultPolicy.verdict(on: fault, history: history, jitter: .random(in: 0..<1))
        try await settleCost(fault, call, id, planned, verdict)
        switch verdict.action {
        case .retry(let delay, isCounted: true): return .ended(.retry(after: delay, fault.description))
        case .retry(let delay, isCounted: false): return .ended(.snooze(delay, fault.description))
        case .failover:
            var next = variation
            next.down.insert(provider)
            return .again(next)
        case .shrink:
            var next = variation
            next.shrink += 1
            return .again(next)
        case .abandon: throw CancellationError()
        case .repair(let why): try await StepFailure(self, planned).fail(task: why)
        case .fallback: try await StepFailure(self, planned).fail(task: fault.description)
        case .failTask(let error): try await StepFailure(self, planned).fail(task: error)
        case .failRun(let error): try await StepFailure(self, planned).fail(run: error)
        }
        return .ended(.settled)
    }

    /// Books what a failed call cost. Where the outcome is not known, its whole reservation stays charged.
    private func settleCost(
        _ fault: ModelFault,
        _ call: Call,
        _ id: Int,
        _ planned: PlannedTask,
        _ verdict: StepVerdict
    ) async throws {
        let end = FailedCall.end(fault, call: id, call.request, call.choice, models.routing.prices)
        let line = "\(task): \(fault.description)\(Self.consequence(verdict.action))"
        let log = RunLedger.appendIfUnderWay([.log(agent: planned.agentSlug, line)], to: run)
        let statements = [RunLedger.end(end, of: run), log] + gate.notes(verdict.mark, call.choice.route, fault)
        // This task may have been cancelled, and the money must be booked all the same.
        let postgres = context.queue.postgres
        _ = try await Task { try await postgres.pipeline(statements) }.value
    }

    private static func consequence(_ action: StepVerdict.Action) -> String {
        switch action {
        case .retry(let delay, _): "; trying again in \(max(1, delay.components.seconds)) s"
        case .failover: "; trying another provider"
        case .shrink: "; trying again with less material"
        default: ""
        }
    }
}
