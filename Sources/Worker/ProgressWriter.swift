import Logging
import PostgresClient
import Queue

/// Progress that jobs report is written once a second, in one statement for all of them, however often they report it.
extension WorkerSession {
    func writeProgress() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            let reports = executor.progress.take()
            guard !reports.isEmpty else { continue }
            do {
                _ = try await queue.postgres.query(Ledger.progress(reports))
            } catch {
                logger.debug("progress could not be written", metadata: ["error": "\(error)"])
            }
        }
    }
}
