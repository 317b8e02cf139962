package import Logging
private import PostgresClient

/// Ends the sessions whose lease ran out, and gives their jobs back to the front.
///
/// Safe to run by any number of processes at once: the rows decide who does what.
package struct Reaper: Sendable {
    private let ledger: Ledger
    private let dispatch: Dispatch
    private let logger: Logger

    /// Losses after which a job is taken for poison.
    package static let lossLimit = 3
    /// Losses from which on a job is a suspect: a worker runs one of them at a time.
    package static let suspectFrom = 2

    package init(_ ledger: Ledger, _ dispatch: Dispatch, logger: Logger) {
        self.ledger = ledger
        self.dispatch = dispatch
        self.logger = logger
    }

    /// One pass.
    ///
    /// - Returns: how many jobs were given back or buried.
    @discardableResult
    package func run() async throws -> Int {
        let results = try await ledger.postgres.pipeline([Self.expire, Self.recover])
        for row in results[0] {
            let (session, host, processID) = try row.decode(Int.self, String.self, Int.self)
            logger.warning("worker session \(session) (\(host), pid \(processID)) lost its lease")
        }
        let jobs = results[1]
        var ended: [Int] = []
        for row in jobs where try row.get("state", as: String.self) != "queued" {
            let id = try row.get("id", as: Int.self)
            ended.append(id)
            guard try row.get("state", as: String.self) == "dead" else { continue }
            logger.error("job \(id) took its worker down \(Self.lossLimit) times: dead (poison)")
        }
        await dispatch.releaseEndedSessions()
        await JobQueue(ledger: ledger, dispatch: dispatch).announce(ended: ended, followed: ended)
        return jobs.count
    }

    private static let expire: SQL = """
        UPDATE worker_sessions SET state = 'expired', ended_at = clock_timestamp(), running = 0
        WHERE state IN ('live','draining') AND lease_until < clock_timestamp()
        RETURNING id, host, pid
        """

    /// A loss counts against a job only while the fleet is healthy: when many sessions end at once, it is not the job. And
    /// it counts only against those of the worker's jobs that have the most losses already, not against their neighbours.
    /// Of several suspects only the one claimed first was running; the others were about to be put back.
    /// Rows of sessions that ended earlier are found too: a claim may have committed just after its session was ended.
    private static let recover: SQL = """
        WITH lost AS (
          SELECT j.id, j.session, j.claimed_at, j.losses AS before, s.state AS ended FROM jobs j JOIN worker_sessions s ON s.id = j.session
          WHERE j.state = 'running' AND s.state IN ('expired','closed')
          ORDER BY j.id LIMIT 10000 FOR UPDATE OF j SKIP LOCKED),
        fleet AS (
          SELECT count(*) FILTER (WHERE state = 'expired') <= greatest(4, 0.2 * count(*)) AS healthy
          FROM worker_sessions
          WHERE state IN ('live','draining') OR ended_at > clock_timestamp() - interval '60 seconds'),
        verdict AS (
          SELECT lost.id, (ended = 'expired' AND healthy
                           AND before = max(before) OVER (PARTITION BY session)
                           AND (before < \(suspectFrom) OR row_number() OVER (
                                  PARTITION BY session, before ORDER BY claimed_at, lost.id) = 1))::int AS counted
          FROM lost, fleet)
        UPDATE jobs j SET
          losses = losses + counted, session = NULL,
          state = CASE WHEN cancel_requested THEN 'cancelled'
                       WHEN losses + counted >= \(lossLimit) THEN 'dead' ELSE 'queued' END,
          dead_reason = CASE WHEN NOT cancel_requested AND losses + counted >= \(lossLimit) THEN 'poison' END,
          error = 'the worker that ran it was lost', run_at = clock_timestamp(),
          finished_at = CASE WHEN cancel_requested OR losses + counted >= \(lossLimit) THEN clock_timestamp() END
        FROM verdict v WHERE j.id = v.id
        RETURNING j.id, j.state
        """
}
