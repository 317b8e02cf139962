/// Something that writes text from a request: a provider over the network, or one of the built-in ones.
package protocol LanguageModel: Sendable {
    /// The provider's name as prices and routes know it: `openai`, `offline`, `simulated`.
    var id: String { get }

    /// One call, one answer.
    ///
    /// Cancelling the task closes the connection at once and throws ``ModelFault/cancelled(partialOutputBytes:)``.
    /// Nothing is retried here: the queue is the one layer that retries (engine 3.6).
    ///
    /// - Parameters:
    ///   - request: what is asked.
    ///   - onText: called with each piece of text as it arrives, in order, from any thread; it must not block.
    /// - Returns: the whole text, and what it took.
    /// - Throws: what went wrong, in the words the fault table knows.
    func complete(
        _ request: ModelRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws(ModelFault) -> ModelReply
}

/// What is asked of a model.
package struct ModelRequest: Sendable, Hashable {
    /// One turn of the conversation.
    package struct Message: Sendable, Hashable {
        /// The strings go over the wire.
        package enum Role: String, Sendable {
            case system, user, assistant
        }

        package var role: Role
        package var text: String

        package init(_ role: Role, _ text: String) {
            self.role = role
            self.text = text
        }
    }

    /// Which step asks: for logs, and for providers that count attempts.
    package struct Origin: Sendable, Hashable {
        package var run: String
        package var task: String
        package var step: Int
        /// 1 for the first try.
        package var attempt: Int

        package init(run: String = "", task: String = "", step: Int = 1, attempt: Int = 1) {
            self.run = run
            self.task = task
            self.step = step
            self.attempt = attempt
        }
    }

    /// A JSON Schema that the answer must follow, where the provider can hold it to one.
    package struct Schema: Sendable, Hashable {
        package var name: String
        package var schema: JSON

        package init(name: String, schema: JSON) {
            self.name = name
            self.schema = schema
        }
    }

    package var model: String
    package var messages: [Message]
    /// The most tokens of output; always sent, so that the cost has a bound.
    package var maxOutput: Int
    package var temperature: Double
    package var seed: Int?
    package var schema: Schema?
    package var origin: Origin
    /// What the prompt was made of, for providers that read sources and no prompts.
    package var material: ModelMaterial
    /// Set where the task only pretends.
    package var simulation: Simulation?

    package init(
        model: String,
        messages: [Message],
        maxOutput: Int,
        temperature: Double = 0.3,
        seed: Int? = nil,
        schema: Schema? = nil,
        origin: Origin = Origin(),
        material: ModelMaterial = ModelMaterial(),
        simulation: Simulation? = nil
    ) {
        self.model = model
        self.messages = messages
        self.maxOutput = maxOutput
        self.temperature = temperature
        self.seed = seed
        self.schema = schema
        self.origin = origin
        self.material = material
        self.simulation = simulation
    }
}

/// The sources behind a prompt, each with the label it is cited by.
package struct ModelMaterial: Sendable, Hashable {
    package struct Source: Sendable, Hashable {
        package enum Kind: Sendable {
            case brief, dependency, attachment
        }

        package var kind: Kind
        /// What citations say: `S1`.
        package var label: String
        /// What people call it: a file name, a document's title.
        package var name: String
        /// The page of an attachment, where it has pages.
        package var page: Int?
        package var text: String

        package init(kind: Kind, label: String, name: String, page: Int? = nil, text: String) {
            self.kind = kind
            self.label = label
            self.name = name
            self.page = page
            self.text = text
        }
    }

    /// The document's title.
    package var title: String
    /// What the task asks for, and what is expected of the document.
    package var instructions: String
    package var rubric: Rubric
    /// The brief first, then dependencies in the order of the task, then attachments.
    package var sources: [Source]

    package init(title: String = "", instructions: String = "", rubric: Rubric = .analytical, sources: [Source] = []) {
        self.title = title
        self.instructions = instructions
        self.rubric = rubric
        self.sources = sources
    }
}
