package import Domain

extension PlannedTask {
    /// The most tokens that an answer to a colleague takes.
    package static let answerLimit = 1_024

    /// The tasks that answer what this one asks: the same sources, the same criteria, and no document.
    ///
    /// - Parameter questions: checked by ``DelegationReply``.
    /// - Returns: one for each, `<task>.ask1` first; no task of a plan has a dot in its id.
    package func answering(_ questions: [DelegatedQuestion]) -> [PlannedTask] {
        questions.enumerated().map { index, question in
            let answerID = "\(id).ask\(index + 1)"
            let role = AgentRoster.agent(question.to)?.role ?? question.to
            var answer = PlannedTask(
                id: answerID,
                title: "\(role): \(question.line(160))",
                description: question.question,
                agentSlug: question.to,
                rubric: rubric,
                dependsOn: dependsOn,
                // Never written. A process of an older version would, during a deploy: not among the client's files.
                filename: "_\(answerID).md",
                optional: true,
                model: model,
                maxTokens: min(outputLimit, Self.answerLimit),
                simulate: simulate.map { Simulation(milliseconds: $0.milliseconds, cost: $0.cost) }
            )
            answer.askedBy = id
            return answer
        }
    }

    /// What a task that only pretends does in its next step: it asks in the first one alone.
    package var simulatedStep: Simulation? {
        var simulation = simulate
        if asked != nil || refused != nil || rerun != nil { simulation?.delegate = [] }
        return simulation
    }
}

extension DelegatedQuestion {
    /// The question in one line, without brackets, cut at so many characters.
    package func line(_ limit: Int) -> String { ChunkPlace.label(question, limit: limit) }
}
