package import Domain

/// What a run left behind, as its reports tell it. Plain values: the ledger's reader fills them in.
package struct RunRecord: Sendable, Hashable {
    /// One call of a model.
    package struct Call: Sendable, Hashable {
        /// The strings are shown in the report.
        package enum Outcome: String, Sendable {
            case settled, failed, aborted
            /// The worker died with the call in flight: charged at its reservation (engine 3.4).
            case unknown
        }

        package var task: String
        package var step: Int
        package var attempt: Int
        package var agent: String
        package var provider: String
        package var model: String
        package var reason: ModelRoute.Reason
        package var usage: ModelUsage
        /// Tokens were told from bytes.
        package var isEstimated: Bool
        package var cost: NanoUSD
        package var outcome: Outcome
        /// From request to the end of the answer.
        package var milliseconds: Int

        package init(
            task: String,
            step: Int,
            attempt: Int,
            agent: String,
            provider: String,
            model: String,
            reason: ModelRoute.Reason,
            usage: ModelUsage,
            isEstimated: Bool = false,
            cost: NanoUSD,
            outcome: Outcome,
            milliseconds: Int = 0
        ) {
            self.task = task
            self.step = step
            self.attempt = attempt
            self.agent = agent
            self.provider = provider
            self.model = model
            self.reason = reason
            self.usage = usage
            self.isEstimated = isEstimated
            self.cost = cost
            self.outcome = outcome
            self.milliseconds = milliseconds
        }
    }

    /// One task, at the end.
    package struct Task: Sendable, Hashable {
        package var id: String
        package var title: String
        package var agent: String
        package var status: RunTask.Status
        package var dependsOn: [String]
        package var filename: String
        /// The deliverable's version; nil where none was written.
        package var version: Int?
        package var words: Int
        /// The observer's score, 0 to 10; nil where there is none.
        package var score: Double?
        /// What its document cites; nil where it was given nothing to cite.
        package var citations: CitationCheck?
        package var error: String?
        /// The task whose question it answers; nil for tasks of the plan.
        package var askedBy: String?
        /// That question.
        package var question: String?

        package init(
            id: String,
            title: String,
            agent: String,
            status: RunTask.Status,
            dependsOn: [String] = [],
            filename: String,
            version: Int? = nil,
            words: Int = 0,
            score: Double? = nil,
            citations: CitationCheck? = nil,
            error: String? = nil,
            askedBy: String? = nil,
            question: String? = nil
        ) {
            self.id = id
            self.title = title
            self.agent = agent
            self.status = status
            self.dependsOn = dependsOn
            self.filename = filename
            self.version = version
            self.words = words
            self.score = score
            self.citations = citations
            self.error = error
            self.askedBy = askedBy
            self.question = question
        }
    }

    package var run: String
    package var engagement: String
    package var client: String
    package var status: Run.Status
    package var error: String?
    package var startedAt: Timestamp
    package var finishedAt: Timestamp?
    package var budget: NanoUSD
    /// The planner's line.
    package var plan: String
    package var tasks: [Task]
    package var calls: [Call]

    package init(
        run: String,
        engagement: String,
        client: String,
        status: Run.Status,
        error: String? = nil,
        startedAt: Timestamp,
        finishedAt: Timestamp? = nil,
        budget: NanoUSD,
        plan: String = "",
        tasks: [Task],
        calls: [Call]
    ) {
        self.run = run
        self.engagement = engagement
        self.client = client
        self.status = status
        self.error = error
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.budget = budget
        self.plan = plan
        self.tasks = tasks
        self.calls = calls
    }

    /// Those whose answer is a document.
    package var plannedTasks: [Task] { tasks.filter { $0.askedBy == nil } }

    var spent: NanoUSD { calls.reduce(.zero) { $0 + $1.cost } }
    var usage: ModelUsage { calls.reduce(.zero) { $0 + $1.usage } }
    func count(_ outcome: Call.Outcome) -> Int { calls.count { $0.outcome == outcome } }
    func calls(of task: String) -> [Call] { calls.filter { $0.task == task } }
    func cost(of task: String) -> NanoUSD { calls(of: task).reduce(.zero) { $0 + $1.cost } }

    /// Whole seconds from start to end; nil while it runs.
    var seconds: Int? { finishedAt.map { Int(($0.microseconds - startedAt.microseconds) / 1_000_000) } }
}
