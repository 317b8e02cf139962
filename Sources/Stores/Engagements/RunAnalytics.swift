package import Domain
package import PostgresClient

/// A task of a run that a model was chosen for: who did it, with which model, at which price.
package struct RoutedTask: Sendable, Equatable {
    package let id: String
    package let agent: String
    /// The model of its last call.
    package let model: String
    /// Answers that were booked.
    package let steps: Int
    /// Of all its calls, those that failed or were lost included: a run's tasks add up to what the run has spent.
    package let cost: NanoUSD
    /// The observer's, in tenths; nil where there is none.
    package let score: Int?
    /// The agent whose question it answers; nil for tasks of the plan.
    package let askedBy: String?
}

extension RunStore {
    /// The routed tasks of the latest completed run, in the plan's order; empty where none is completed, nil where the
    /// tenant has no such engagement (contract E-53, E-54; decision D-27). A run that made one document anew does not stand
    /// for the engagement as long as a whole one is completed.
    package func routedTasks(
        of id: Engagement.ID,
        _ tenant: Tenant.ID
    ) async throws(PostgresError) -> [RoutedTask]? {
        let results = try await postgres.pipeline([
            "SELECT 1 FROM engagements WHERE id = \(id) AND tenant_id = \(tenant)",
            """
            SELECT t.task_id, t.agent_slug, t.model, t.steps, coalesce(c.nanos, 0)::bigint, q.tenths,
                   (SELECT agent_slug FROM run_tasks WHERE run_id = t.run_id AND task_id = t.config->>'askedBy')
            FROM run_tasks t LEFT JOIN quality_scores q ON q.run_id = t.run_id AND q.task_id = t.task_id LEFT JOIN LATERAL (
              SELECT sum(cost_nanos) AS nanos FROM llm_calls WHERE run_id = t.run_id AND task_id = t.task_id) c ON true
            WHERE t.model IS NOT NULL AND t.run_id = (
              SELECT id FROM runs WHERE engagement_id = \(id) AND tenant_id = \(tenant) AND status = 'completed'
              ORDER BY kind = 'full' DESC, started_at DESC, id DESC LIMIT 1)
            ORDER BY t.position
            """,
        ])
        guard results[0].first != nil else { return nil }
        return try results[1].map { row throws(PostgresError) in
            let (id, agent, model, steps, cost, score, askedBy) = try row.decode(
                String.self,
                String.self,
                String.self,
                Int.self,
                NanoUSD.self,
                Int?.self,
                String?.self
            )
            return RoutedTask(
                id: id,
                agent: agent,
                model: model,
                steps: steps,
                cost: cost,
                score: score,
                askedBy: askedBy
            )
        }
    }
}
