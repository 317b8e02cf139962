import Domain
import Queue

extension JobContext {
    /// Hurries the live streams of a run whose events were just committed. They find the events without it too, later.
    func tell(of run: Run.ID) {
        queue.dispatch.notices.tell(of: [run.rawValue])
    }
}
