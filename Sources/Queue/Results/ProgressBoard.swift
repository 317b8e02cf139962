package import PostgresClient
private import Synchronization

/// How far one attempt of a job is.
package struct ProgressReport: Sendable, Equatable {
    package let job: Int
    package let attempt: Int
    /// 0 to 1.
    package let done: Double
    package let text: String

    package init(job: Int, attempt: Int, done: Double, text: String) {
        self.job = job
        self.attempt = attempt
        self.done = done.isNaN ? 0 : min(1, max(0, done))
        self.text = text
    }
}

/// The newest report of each running job of a worker, until it is written down.
package final class ProgressBoard: Sendable {
    private let reports = Mutex<[Int: ProgressReport]>([:])

    package init() {}

    package func report(_ report: ProgressReport) {
        reports.withLock { $0[report.job] = report }
    }

    /// All reports since the last call, by their job's id.
    package func take() -> [ProgressReport] {
        let taken = reports.withLock { reports in
            defer { reports = [:] }
            return reports
        }
        return taken.values.sorted { $0.job < $1.job }
    }
}

extension Ledger {
    /// Writes reports down. One of an attempt that is over changes nothing.
    package static func progress(_ reports: [ProgressReport]) -> SQL {
        """
        UPDATE jobs j SET progress = jsonb_build_object('done', v.done, 'text', v.text)
        FROM unnest(\(reports.map(\.job))::bigint[], \(reports.map(\.attempt))::int[], \(reports.map(\.done))::float8[],
                    \(reports.map { bounded($0.text) })::text[]) AS v(id, attempt, done, text)
        WHERE j.id = v.id AND j.attempt = v.attempt AND j.state = 'running'
        """
    }
}
