import Crew
import Domain
import PostgresClient
import Queue
import Stores

/// A call beside the tasks' own, for a judgement or a revision: the run goes on whatever comes of it.
struct SideCall {
    let request: ModelRequest
    let choice: RouteChoice

    /// Books what a failed call cost. Passing faults are tried again by the queue, but not after the last try.
    ///
    /// - Parameters:
    ///   - id: of the booked call.
    ///   - tries: attempts of the job that may fail.
    /// - Returns: how the job goes on; nil where it is to be given up.
    func end(
        _ fault: ModelFault,
        call id: Int,
        of run: Run.ID,
        tries: Int,
        _ gate: ProviderGate,
        _ context: JobContext
    ) async throws -> Outcome? {
        let failed = FailedCall.end(fault, call: id, request, choice, context.services.models.routing.prices)
        let history = StepHistory(failures: context.job.failures, canFailOver: false)
        let verdict = FaultPolicy.verdict(on: fault, history: history, jitter: .random(in: 0..<1))
        let statements =
            [RunLedger.end(failed, of: run, isStep: false)] + gate.notes(verdict.mark, choice.route, fault)
        let postgres = context.queue.postgres
        // A task of its own, because this one may have been cancelled and the money must be booked all the same.
        _ = try await Task { try await postgres.pipeline(statements) }.value
        if case .cancelled = fault { throw CancellationError() }
        guard case .retry(let delay, let isCounted) = verdict.action, context.job.failures + 1 < tries else {
            return nil
        }
        return isCounted ? .retry(after: delay, fault.description) : .snooze(delay, fault.description)
    }
}
