package import Domain
package import PostgresClient

/// What a step needs to know before it begins.
package struct StepInput: Sendable {
    package let task: String
    package let engagement: Engagement.ID
    /// Of the engagement's files; nil where there were none when the run started.
    package let contextGeneration: Int?
    package let runStatus: Run.Status
    package let taskStatus: RunTask.Status
    package let name: String
    package let client: String
    package let brief: String
    package let budget: NanoUSD
    package let spent: NanoUSD
    package let reserved: NanoUSD
    package var config: String
    package let draft: String?
    package let optional: Bool
    /// What is known of the providers, as ``ProviderMarks/column`` has it; nil where all is well.
    package let marks: JSON?
    /// How long the task has been waiting for a provider that is held; nil where it has not.
    package let heldFor: Duration?
    /// Outputs of the tasks it depends on, in the order of the plan; then what colleagues have answered it.
    package var dependencies: [(id: String, config: String, output: String)]
    /// Some endpoint wants to hear of documents or scores.
    package let isFollowed: Bool

    /// What no call has been promised yet.
    package var budgetLeft: NanoUSD { budget - spent - reserved }
}

/// What a run is planned from.
package struct PlanInput: Sendable {
    package let status: Run.Status
    package let hasTasks: Bool
    package let name: String
    package let client: String
    package let brief: String
    package let tasks: JSON
    package let budget: NanoUSD
    /// The index of the engagement's files is behind a change of theirs.
    package let isIndexBehind: Bool
    /// Since the run was started, by the clock of Postgres.
    package let age: Duration
    /// The document that this run makes anew; nil where it does the whole plan.
    package let rerunOf: Deliverable.ID?
}

/// A run as its report tells it.
package struct ReportInput: Sendable {
    package struct Task: Sendable {
        package let id: String
        package let config: String
        package let agent: String
        package let status: RunTask.Status
        package let dependsOn: [String]
        package let optional: Bool
        package let error: String?
        package let version: Int?
        package let words: Int
        /// The observer's, in tenths.
        package let score: Int?
        /// What its document cites of the files, as JSON; nil where it was given nothing of them.
        package let citations: JSON?
    }

    package struct Call: Sendable {
        package let task: String
        package let attempt: Int
        package let agent: String
        package let model: String
        package let reason: String
        package let state: String
        package let cost: NanoUSD
        package let inputTokens: Int
        package let outputTokens: Int
        package let isEstimated: Bool
        package let milliseconds: Int
    }

    package let status: Run.Status
    package let error: String?
    package let name: String
    package let client: String
    package let budget: NanoUSD
    package let startedAt: Timestamp
    package let now: Timestamp
    package let plan: String
    package let tasks: [Task]
    package let calls: [Call]
}

/// What the engine reads of a run, one round trip each.
extension RunStore {
    package func isRunning(_ run: Run.ID) async throws(PostgresError) -> Bool {
        try await postgres.query("SELECT 1 FROM runs WHERE id = \(run) AND status = 'running'").first != nil
    }

    /// Nil where the run or the task is gone.
    package func stepInput(_ run: Run.ID, task: String) async throws(PostgresError) -> StepInput? {
        try Self.stepInput(await postgres.pipeline(Self.stepInput(of: run, task: "\(task)")))
    }

    /// The same for the step that was just handed over to a session, to be read in the trip that commits the one before.
    package static func stepInput(of run: Run.ID, nextUnder session: Int) -> [SQL] {
        stepInput(
            of: run,
            task: """
                (SELECT payload->>'task' FROM jobs WHERE session = \(session) AND state = 'running'
                 AND kind = 'crew.step' AND payload->>'run' = \(run) ORDER BY id DESC LIMIT 1)
                """
        )
    }

    private static func stepInput(of run: Run.ID, task: SQL) -> [SQL] {
        [
            """
            SELECT t.task_id, r.status, t.status, e.name, e.client, e.brief, r.budget_nanos, r.spent_nanos,
                   r.reserved_nanos, t.config::text, t.draft, t.optional, r.engagement_id, r.context_generation,
                   \(clause: ProviderMarks.column),
                   extract(epoch FROM clock_timestamp() - t.held_since)::float8,
                   \(clause: WebhookLedger.hasReaders(of: "r.tenant_id"))
            FROM runs r JOIN engagements e ON e.id = r.engagement_id
            JOIN run_tasks t ON t.run_id = r.id AND t.task_id = \(clause: task)
            WHERE r.id = \(run)
            """,
            """
            SELECT d.task_id, d.config::text, o.content
            FROM run_tasks t JOIN run_tasks d ON d.run_id = t.run_id AND d.task_id = ANY (t.depends_on)
            JOIN LATERAL (
              SELECT coalesce(d.answer, (
                SELECT content FROM deliverables WHERE run_id = d.run_id AND task_id = d.task_id
                ORDER BY version DESC LIMIT 1)) AS content) o ON o.content IS NOT NULL
            WHERE t.run_id = \(run) AND t.task_id = \(clause: task) ORDER BY d.position
            """,
        ]
    }

    package static func stepInput(_ results: [PostgresResult]) throws(PostgresError) -> StepInput? {
        guard results.count == 2, let row = results[0].first else { return nil }
        let (
            task, runStatus, taskStatus, name, client, brief, budget, spent, reserved, config, draft, optional,
            engagement,
            generation, marks, held, isFollowed
        ) =
            try row.decode(
                String.self,
                Run.Status.self,
                RunTask.Status.self,
                String.self,
                String.self,
                String.self,
                NanoUSD.self,
                NanoUSD.self,
                NanoUSD.self,
                String.self,
                String?.self,
                Bool.self,
                Engagement.ID.self,
                Int?.self,
                JSON?.self,
                Double?.self,
                Bool.self
            )
        let dependencies = try results[1].map { row throws(PostgresError) in
            let (id, config, output) = try row.decode(String.self, String.self, String.self)
            return (id: id, config: config, output: output)
        }
        return StepInput(
            task: task,
            engagement: engagement,
            contextGeneration: generation,
            runStatus: runStatus,
            taskStatus: taskStatus,
            name: name,
            client: client,
            brief: brief,
            budget: budget,
            spent: spent,
            reserved: reserved,
            config: config,
            draft: draft,
            optional: optional,
            marks: marks,
            heldFor: held.map { .seconds($0) },
            dependencies: dependencies,
            isFollowed: isFollowed
        )
    }

    /// Nil where the run is gone.
    package func planInput(_ run: Run.ID) async throws(PostgresError) -> PlanInput? {
        let result = try await postgres.query(
            """
            SELECT r.status, EXISTS (SELECT 1 FROM run_tasks WHERE run_id = r.id), e.name, e.client, e.brief, e.tasks,
                   r.budget_nanos, EXISTS (SELECT 1 FROM index_state s WHERE s.engagement_id = e.id AND s.built < s.wanted),
                   (extract(epoch FROM clock_timestamp() - r.started_at) * 1000)::bigint, r.rerun_of
            FROM runs r JOIN engagements e ON e.id = r.engagement_id WHERE r.id = \(run)
            """
        )
        guard let row = result.first else { return nil }
        let (status, hasTasks, name, client, brief, tasks, budget, isBehind, age, rerunOf) = try row.decode(
            Run.Status.self,
            Bool.self,
            String.self,
            String.self,
            String.self,
            JSON.self,
            NanoUSD.self,
            Bool.self,
            Int.self,
            Deliverable.ID?.self
        )
        return PlanInput(
            status: status,
            hasTasks: hasTasks,
            name: name,
            client: client,
            brief: brief,
            tasks: tasks,
            budget: budget,
            isIndexBehind: isBehind,
            age: .milliseconds(age),
            rerunOf: rerunOf
        )
    }

    /// Nil where the run is gone.
    package func reportInput(_ run: Run.ID) async throws(PostgresError) -> ReportInput? {
        let results = try await postgres.pipeline([
            """
            SELECT r.status, r.error, e.name, e.client, r.budget_nanos,
                   (extract(epoch FROM r.started_at) * 1000000)::bigint,
                   (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, coalesce(r.archetype, '')
            FROM runs r JOIN engagements e ON e.id = r.engagement_id WHERE r.id = \(run)
            """,
            """
            SELECT t.task_id, t.config::text, t.agent_slug, t.status, t.depends_on, t.optional, t.error, d.version,
                   coalesce(d.word_count, 0), q.tenths, t.citations
            FROM run_tasks t LEFT JOIN LATERAL (
              SELECT version, word_count FROM deliverables WHERE run_id = t.run_id AND task_id = t.task_id
              ORDER BY version DESC LIMIT 1) d ON true
            LEFT JOIN quality_scores q ON q.run_id = t.run_id AND q.task_id = t.task_id
            WHERE t.run_id = \(run) ORDER BY t.position
            """,
            """
            SELECT task_id, attempt, agent_slug, model, reason, state, cost_nanos, input_tokens, output_tokens, estimated,
                   (extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at) * 1000)::bigint
            FROM llm_calls WHERE run_id = \(run) ORDER BY id
            """,
        ])
        guard let row = results[0].first else { return nil }
        let (status, error, name, client, budget, startedAt, now, plan) = try row.decode(
            Run.Status.self,
            String?.self,
            String.self,
            String.self,
            NanoUSD.self,
            Timestamp.self,
            Timestamp.self,
            String.self
        )
        return ReportInput(
            status: status,
            error: error,
            name: name,
            client: client,
            budget: budget,
            startedAt: startedAt,
            now: now,
            plan: plan,
            tasks: try results[1].map { row throws(PostgresError) in try Self.task(row) },
            calls: try results[2].map { row throws(PostgresError) in try Self.call(row) }
        )
    }

    private static func task(_ row: Row) throws(PostgresError) -> ReportInput.Task {
        let (id, config, agent, status, dependsOn, optional, error, version, words, score, citations) = try row.decode(
            String.self,
            String.self,
            String.self,
            RunTask.Status.self,
            [String].self,
            Bool.self,
            String?.self,
            Int?.self,
            Int.self,
            Int?.self,
            JSON?.self
        )
        return ReportInput.Task(
            id: id,
            config: config,
            agent: agent,
            status: status,
            dependsOn: dependsOn,
            optional: optional,
            error: error,
            version: version,
            words: words,
            score: score,
            citations: citations
        )
    }

    private static func call(_ row: Row) throws(PostgresError) -> ReportInput.Call {
        let (task, attempt, agent, model, reason, state, cost, input, output, estimated, milliseconds) =
            try row.decode(
                String.self,
                Int.self,
                String.self,
                String.self,
                String.self,
                String.self,
                NanoUSD.self,
                Int.self,
                Int.self,
                Bool.self,
                Int.self
            )
        return ReportInput.Call(
            task: task,
            attempt: attempt,
            agent: agent,
            model: model,
            reason: reason,
            state: state,
            cost: cost,
            inputTokens: input,
            outputTokens: output,
            isEstimated: estimated,
            milliseconds: milliseconds
        )
    }
}
