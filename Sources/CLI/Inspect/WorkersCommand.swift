import ArgumentParser
import Domain
import Queue

struct WorkersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers",
        abstract: "Worker sessions: where they run, when they were last heard, and what each slot does now."
    )

    @OptionGroup var view: ViewOptions

    func run() async throws {
        try await view.show { fleet in
            let workers = try await Inspector(fleet.queue).workers()
            guard !view.json else { return JSON.array(workers.map(\.json)).text }
            let slots = workers.flatMap { worker in worker.now.map { (worker.session, $0) } }
            return Self.sessions(workers) + (slots.isEmpty ? "" : "\n\n" + Self.jobs(slots))
        }
    }

    private static func sessions(_ workers: [WorkerView]) -> String {
        let rows = workers.map { worker in
            [
                "\(worker.session)", worker.state, worker.host, "\(worker.processID)", worker.version,
                "\(worker.running)/\(worker.slots)", Terminal.seconds(worker.heardSeconds),
                Terminal.seconds(worker.leaseSeconds), Terminal.seconds(worker.upSeconds),
                worker.queues.joined(separator: ","),
            ]
        }
        let header = ["SESSION", "STATE", "HOST", "PID", "VERSION", "BUSY", "HEARD", "LEASE", "UP", "QUEUES"]
        return Terminal.table(header, rows, right: [0, 3, 5, 6, 7, 8])
    }

    /// The longest-running first, at most forty.
    private static func jobs(_ slots: [(session: Int, slot: SlotView)]) -> String {
        let slots = slots.sorted { $0.slot.seconds > $1.slot.seconds }
        let rows = slots.prefix(40).map { session, slot in
            [
                "\(session)", "\(slot.job)", slot.kind, slot.queue, slot.tenant.isEmpty ? "-" : slot.tenant,
                "\(slot.attempt)", Terminal.seconds(slot.seconds),
                slot.cancelRequested ? "cancel requested" : slot.progress ?? "",
            ]
        }
        let header = ["SESSION", "JOB", "KIND", "QUEUE", "TENANT", "ATTEMPT", "FOR", "PROGRESS"]
        let table = Terminal.table(header, rows, right: [0, 1, 5, 6])
        return slots.count > 40 ? table + "\n… and \(slots.count - 40) more (--json has them)" : table
    }
}
