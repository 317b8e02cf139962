package import Domain

/// Pretends to be a model, for tests: takes the time, costs the money and fails as often as the task says (decision
/// D-130). Reached only by tasks that carry `simulate`, which only `GC_SIMULATE=1` lets in.
package struct SimulatedModel: LanguageModel {
    package let id = "simulated"

    package init() {}

    package func complete(
        _ request: ModelRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws(ModelFault) -> ModelReply {
        guard let simulation = request.simulation else {
            throw .badRequest("the task carries no `simulate`; this provider only pretends")
        }
        var text = ""
        for step in 1...max(1, simulation.steps) {
            await rest(of: simulation, step)
            guard !Task.isCancelled else { throw .cancelled(partialOutputBytes: text.utf8.count) }
            let piece = Self.piece(request, step, of: simulation)
            text += piece
            onText(piece)
        }
        if simulation.fail { throw .badRequest("simulated failure") }
        if request.origin.attempt <= simulation.failTimes { throw .server(status: 503) }
        return ModelReply(text: text, finish: .stop, usage: .zero, model: id, billed: simulation.cost)
    }

    /// The piece's share of the time; cut short by cancellation.
    private func rest(of simulation: Simulation, _ step: Int) async {
        let total = simulation.milliseconds
        let share = total * step / simulation.steps - total * (step - 1) / simulation.steps
        if share > 0 { try? await Task.sleep(for: .milliseconds(share)) }
    }

    private static func piece(_ request: ModelRequest, _ step: Int, of simulation: Simulation) -> String {
        guard simulation.delegate.isEmpty else { return step == 1 ? asking(simulation.delegate) : "" }
        let steps = simulation.steps
        let title = request.material.title.isEmpty ? request.origin.task : request.material.title
        let lead = step == 1 ? "# \(title)\n\nSimulated document.\n" : ""
        return lead + (steps > 1 ? "\nStep \(step) of \(steps).\n" : "")
    }

    private static func asking(_ questions: [DelegatedQuestion]) -> String {
        let items = questions.map { JSON.object(["to": .string($0.to), "question": .string($0.question)]) }
        return JSON.object(["delegate": .array(items)]).text
    }
}
