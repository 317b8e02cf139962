import Crew
import Domain
import Queue
import Stores

extension JobContext {
    /// A call that this attempt of the job is about to make.
    ///
    /// - Parameter agent: whose call it is, by its slug.
    func draft(of choice: RouteChoice, for task: String, of run: Run.ID, by agent: String) -> RunLedger.CallDraft {
        RunLedger.CallDraft(
            run: run,
            task: task,
            job: job.id,
            attempt: job.attempt,
            agent: agent,
            model: choice.route.model,
            reason: choice.route.reason.rawValue,
            reservation: choice.reservation
        )
    }
}
