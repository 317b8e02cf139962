package import Domain

/// What every prompt of a run begins with.
package struct PromptEngagement: Sendable, Hashable {
    package var name: String
    package var client: String
    package var brief: String
    /// One line for each attachment, with its label; empty where there are none.
    package var manifest: [String]

    package init(name: String, client: String, brief: String, manifest: [String] = []) {
        self.name = name
        self.client = client
        self.brief = brief
        self.manifest = manifest
    }
}

/// What a task builds on.
package struct PromptDependency: Sendable, Hashable {
    package var id: String
    package var title: String
    package var output: String

    package init(id: String, title: String, output: String) {
        self.id = id
        self.title = title
        self.output = output
    }
}

/// Everything a prompt is made of besides the engagement.
package struct PromptParts: Sendable {
    package var task: PlannedTask
    package var dependencies: [PromptDependency]
    /// Pieces of attachments, best first, labelled as in the manifest.
    package var chunks: [ModelMaterial.Source]
    /// What the model wrote before it was cut off at the limit; the call goes on from there.
    package var previous: String?
    /// Unguessable, new for each request: it marks the material.
    package var nonce: String
    package var model: ModelPrice
    /// Tokens of output.
    package var maxOutput: Int
    package var origin: ModelRequest.Origin
    /// How often the provider has found the prompt too long.
    package var shrink: Int
    /// Whether the task may ask colleagues first.
    package var delegation: DelegationRule.Offer

    package init(
        task: PlannedTask,
        dependencies: [PromptDependency] = [],
        chunks: [ModelMaterial.Source] = [],
        previous: String? = nil,
        nonce: String,
        model: ModelPrice,
        maxOutput: Int,
        origin: ModelRequest.Origin,
        shrink: Int = 0,
        delegation: DelegationRule.Offer = .none
    ) {
        self.task = task
        self.dependencies = dependencies
        self.chunks = chunks
        self.previous = previous
        self.nonce = nonce
        self.model = model
        self.maxOutput = maxOutput
        self.origin = origin
        self.shrink = shrink
        self.delegation = delegation
    }
}

/// Writes prompts. Pure: the same parts give the same bytes.
package enum CrewPrompt {
    /// The request of a task's step.
    ///
    /// The system message (policy, roster, brief, manifest) is the same for every task of a run with one model, so that
    /// providers can cache it; agent, task, digests and chunks follow in the user message. Everything is packed to
    /// ``PromptBudget`` before it is sent.
    package static func request(_ engagement: PromptEngagement, _ parts: PromptParts) -> ModelRequest {
        let output = min(parts.maxOutput, parts.model.maxOutput)
        let budget = PromptBudget(context: parts.model.context, maxOutput: output, shrink: parts.shrink)
        var messages = [
            ModelRequest.Message(.system, SharedPrefix.text(engagement, limit: budget.brief)),
            ModelRequest.Message(.user, TaskPrompt(engagement, parts, budget).text),
        ]
        if let previous = parts.previous, !previous.isEmpty {
            messages.append(ModelRequest.Message(.assistant, tail(of: previous, bytes: budget.total / 4)))
            messages.append(ModelRequest.Message(.user, continuation))
        }
        return ModelRequest(
            model: parts.model.model,
            messages: messages,
            maxOutput: output,
            origin: parts.origin,
            material: material(engagement, parts),
            simulation: parts.task.simulatedStep
        )
    }

    private static let continuation = """
        Your answer was cut off at the length limit. Go on exactly where it ends: repeat nothing, write no preamble, and \
        bring the document to its end.
        """

    /// The end of a text, at most so many bytes, beginning after a line break where there is one.
    private static func tail(of text: String, bytes: Int) -> String {
        guard text.utf8.count > bytes else { return text }
        var start = text.utf8.index(text.utf8.endIndex, offsetBy: -bytes)
        while start < text.endIndex, start.samePosition(in: text.unicodeScalars) == nil {
            start = text.utf8.index(after: start)
        }
        let rest = text[start...]
        return String(rest.firstIndex(of: "\n").map { rest[rest.index(after: $0)...] } ?? rest)
    }

    /// The whole texts, for providers that read sources instead of prompts.
    private static func material(_ engagement: PromptEngagement, _ parts: PromptParts) -> ModelMaterial {
        var sources = [ModelMaterial.Source(kind: .brief, label: "S1", name: "Brief", text: engagement.brief)]
        for (index, dependency) in parts.dependencies.enumerated() {
            sources.append(
                ModelMaterial.Source(
                    kind: .dependency,
                    label: "D\(index + 1)",
                    name: dependency.title,
                    text: dependency.output
                )
            )
        }
        let instructions = [parts.task.description, parts.task.expectedOutput ?? ""].filter { !$0.isEmpty }
        return ModelMaterial(
            title: parts.task.title,
            instructions: instructions.joined(separator: "\n"),
            rubric: parts.task.rubric,
            sources: sources + parts.chunks
        )
    }
}
