package import Domain
package import PostgresClient

/// The engine's guarded statements. Each is meant for a pipelined transaction: a condition that does not hold raises
/// `require()`'s error and nothing of the transaction remains.
package enum RunLedger {
    // MARK: Events

    /// Appends events under the lock of the run's row: their order is commit order, their numbers have no gap.
    package static func append(_ events: [RunEvent], to run: Run.ID) -> SQL {
        """
        WITH numbered AS (
          UPDATE runs SET last_seq = last_seq + \(events.count), log_count = log_count + \(logs(events))
          WHERE id = \(run) RETURNING tenant_id, last_seq, log_count, spent_nanos)
        \(clause: insertEvents(events, run))
        """
    }

    /// The same while the run is under way; nothing is added behind its end.
    package static func appendIfUnderWay(_ events: [RunEvent], to run: Run.ID) -> SQL {
        """
        WITH numbered AS (
          UPDATE runs SET last_seq = last_seq + \(events.count), log_count = log_count + \(logs(events))
          WHERE id = \(run) AND status IN ('running','paused') RETURNING tenant_id, last_seq, log_count, spent_nanos)
        \(clause: insertEvents(events, run))
        """
    }

    private static func logs(_ events: [RunEvent]) -> Int {
        events.count { $0.type == "log" }
    }

    /// - Precondition: a CTE `numbered` (tenant_id, last_seq, log_count, spent_nanos) in front, after the run's counters were
    ///   raised.
    static func insertEvents(_ events: [RunEvent], _ run: Run.ID) -> SQL {
        """
        INSERT INTO run_events (run_id, seq, tenant_id, type, data, log_no, created_at)
        SELECT \(run), n.last_seq - \(events.count) + e.no, n.tenant_id, e.type,
               coalesce(nullif(e.data, '')::jsonb, \(clause: spentSoFar)),
               CASE WHEN e.type = 'log'
                    THEN n.log_count - \(logs(events)) + count(*) FILTER (WHERE e.type = 'log') OVER (ORDER BY e.no) END,
               clock_timestamp()
        FROM numbered n,
             unnest(\(events.map(\.type))::text[], \(events.map { $0.data?.text ?? "" })::text[])
               WITH ORDINALITY AS e(type, data, no)
        """
    }

    /// What a `cost` event says. Steps run side by side: only the run's row knows what all of them have spent.
    private static let spentSoFar: SQL =
        "jsonb_build_object('estimated_cost', trim_scale(n.spent_nanos / 1000000000::numeric))"

    // MARK: Locks

    /// The engagement stays while its children are written.
    package static func keepEngagement(of run: Run.ID) -> SQL {
        """
        WITH kept AS (
          SELECT 1 FROM engagements WHERE id = (SELECT engagement_id FROM runs WHERE id = \(run)) FOR KEY SHARE)
        SELECT require(EXISTS (SELECT 1 FROM kept), 'the engagement was deleted')
        """
    }

    /// The same, for whoever will change the engagement too: taken before the run's lock, so that nobody deadlocks with a
    /// stop.
    package static func lockEngagement(of run: Run.ID) -> SQL {
        """
        WITH kept AS (
          SELECT 1 FROM engagements WHERE id = (SELECT engagement_id FROM runs WHERE id = \(run)) FOR NO KEY UPDATE)
        SELECT require(EXISTS (SELECT 1 FROM kept), 'the engagement was deleted')
        """
    }

    /// Locks the run for a result: it is at work, or paused with this step still in flight.
    package static func lockRun(_ run: Run.ID) -> SQL {
        """
        WITH locked AS (SELECT 1 FROM runs WHERE id = \(run) AND status IN ('running','paused') FOR NO KEY UPDATE)
        SELECT require(EXISTS (SELECT 1 FROM locked), 'the run has ended')
        """
    }

    // MARK: Money

    /// A call about to be made.
    package struct CallDraft: Sendable {
        package let run: Run.ID
        package let task: String
        package let job: Int
        package let attempt: Int
        package let agent: String
        package let model: String
        package let reason: String
        /// The most that it may cost.
        package let reservation: NanoUSD

        package init(
            run: Run.ID,
            task: String,
            job: Int,
            attempt: Int,
            agent: String,
            model: String,
            reason: String,
            reservation: NanoUSD
        ) {
            self.run = run
            self.task = task
            self.job = job
            self.attempt = attempt
            self.agent = agent
            self.model = model
            self.reason = reason
            self.reservation = reservation
        }
    }

    /// Reserves the call's worst case and books it, if the run is at work, the budget has room and the job is still ours.
    ///
    /// - Returns: a statement whose one row is the call's id; no row means that one of the conditions does not hold.
    package static func begin(_ call: CallDraft, announcing events: [RunEvent]) -> SQL {
        """
        WITH numbered AS (
          UPDATE runs SET reserved_nanos = reserved_nanos + \(call.reservation)::bigint,
                          last_seq = last_seq + \(events.count), log_count = log_count + \(logs(events))
          WHERE id = \(call.run) AND status = 'running'
            AND spent_nanos + reserved_nanos + \(call.reservation)::bigint <= budget_nanos AND spent_nanos < budget_nanos
            AND EXISTS (SELECT 1 FROM jobs WHERE id = \(call.job) AND attempt = \(call.attempt) AND state = 'running')
            AND EXISTS (SELECT 1 FROM run_tasks WHERE run_id = \(call.run) AND task_id = \(call.task)
                        AND status IN ('ready','running'))
          RETURNING tenant_id, last_seq, log_count, spent_nanos),
        task AS (
          UPDATE run_tasks SET status = 'running', started_at = coalesce(started_at, clock_timestamp()),
                               model = \(call.model), route_reason = \(call.reason)
          WHERE run_id = \(call.run) AND task_id = \(call.task) AND EXISTS (SELECT 1 FROM numbered)),
        events AS (\(clause: insertEvents(events, call.run)))
        INSERT INTO llm_calls (run_id, task_id, tenant_id, job_id, attempt, agent_slug, model, reason, reserved_nanos)
        SELECT \(call.run), \(call.task), tenant_id, \(call.job), \(call.attempt), \(call.agent), \(call.model),
               \(call.reason), \(call.reservation)::bigint
        FROM numbered RETURNING id
        """
    }

    /// Calls of a worker that was lost: nobody knows what became of them, so they stay charged at their reservation.
    package static func chargeLostCalls(run: Run.ID, task: String) -> SQL {
        """
        WITH lost AS (
          UPDATE llm_calls SET state = 'unknown', cost_nanos = reserved_nanos, finished_at = clock_timestamp(),
                 fault = 'the worker was lost'
          WHERE run_id = \(run) AND task_id = \(task) AND state = 'open' RETURNING reserved_nanos),
        total AS (SELECT sum(reserved_nanos)::bigint AS nanos FROM lost)
        UPDATE runs SET spent_nanos = spent_nanos + nanos, reserved_nanos = reserved_nanos - nanos
        FROM total WHERE id = \(run) AND nanos IS NOT NULL
        """
    }

    /// The fault of a call that was booked and not made.
    package static let neverMade = "the worker was stopping"

    /// How a call ended.
    package struct CallEnd: Sendable {
        package enum State: String, Sendable {
            case settled, failed, unknown
        }

        package let call: Int
        package let state: State
        package let cost: NanoUSD
        package let inputTokens: Int
        package let outputTokens: Int
        package let isEstimated: Bool
        package let fault: String?

        package init(
            call: Int,
            state: State,
            cost: NanoUSD,
            inputTokens: Int = 0,
            outputTokens: Int = 0,
            isEstimated: Bool = false,
            fault: String? = nil
        ) {
            self.call = call
            self.state = state
            self.cost = cost
            self.inputTokens = inputTokens
            self.outputTokens = outputTokens
            self.isEstimated = isEstimated
            self.fault = fault
        }
    }

    /// Books the end of a call and tells of it, in the locks of its engagement, which stays, and of a run that is at work,
    /// or paused with this step in flight.
    ///
    /// - Parameters:
    ///   - events: a `cost` among them says what the run has spent with this call.
    ///   - isStep: whether it counts as a step of the run; judgements do not.
    package static func book(
        _ end: CallEnd,
        of run: Run.ID,
        announcing events: [RunEvent],
        isStep: Bool = true
    ) -> SQL {
        """
        WITH kept AS MATERIALIZED (
          SELECT 1 FROM engagements WHERE id = (SELECT engagement_id FROM runs WHERE id = \(run)) FOR KEY SHARE),
        ended AS (\(clause: close(end))),
        booked AS (SELECT coalesce(sum(reserved_nanos), 0)::bigint AS reserved, count(*) AS calls FROM ended),
        numbered AS (
          UPDATE runs SET spent_nanos = spent_nanos + calls * \(end.cost)::bigint,
            reserved_nanos = reserved_nanos - reserved, input_tokens = input_tokens + calls * \(end.inputTokens),
            output_tokens = output_tokens + calls * \(end.outputTokens), steps = steps + calls * \(isStep ? 1 : 0),
            last_seq = last_seq + \(events.count), log_count = log_count + \(logs(events))
          FROM booked, kept WHERE id = \(run) AND status IN ('running','paused')
          RETURNING tenant_id, last_seq, log_count, spent_nanos),
        events AS (\(clause: insertEvents(events, run)))
        SELECT require(EXISTS (SELECT 1 FROM numbered), 'the run has ended')
        """
    }

    private static func close(_ end: CallEnd) -> SQL {
        """
        UPDATE llm_calls SET state = \(end.state.rawValue), cost_nanos = \(end.cost)::bigint,
          input_tokens = \(end.inputTokens), output_tokens = \(end.outputTokens), estimated = \(end.isEstimated),
          fault = \(end.fault), finished_at = clock_timestamp()
        WHERE id = \(end.call) AND state = 'open' RETURNING reserved_nanos
        """
    }

    /// Books the end of a call once, whatever became of the run meanwhile: late answers settle cost, never status.
    package static func end(_ end: CallEnd, of run: Run.ID, isStep: Bool = true) -> SQL {
        """
        WITH ended AS (\(clause: close(end)))
        UPDATE runs SET spent_nanos = spent_nanos + \(end.cost)::bigint,
          reserved_nanos = runs.reserved_nanos - ended.reserved_nanos,
          input_tokens = input_tokens + \(end.inputTokens), output_tokens = output_tokens + \(end.outputTokens),
          steps = steps + \(isStep && end.state == .settled ? 1 : 0)
        FROM ended WHERE runs.id = \(run)
        """
    }
}
