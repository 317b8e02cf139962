import ArgumentParser
import Domain
import Queue

struct BatchesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batches",
        abstract: "Batches of jobs, newest first; with an id everything about one."
    )

    @Argument(help: "The batch's id.") var id: Int?
    @Option(help: "At most so many, up to 1000.") var limit = 50
    @OptionGroup var view: ViewOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit takes 1 to 1000.") }
    }

    func run() async throws {
        try await view.show { fleet in
            if let id { return try await one(id, fleet) }
            let batches = try await Inspector(fleet.queue).batches(limit: limit)
            guard !view.json else { return JSON.array(batches.map(\.json)).text }
            guard !batches.isEmpty else { return "There is no batch: finished ones are kept for 14 days." }
            let rows = batches.map { batch in
                [
                    "\(batch.id)", batch.name, batch.tenant.isEmpty ? "-" : batch.tenant, batch.state.rawValue,
                    Terminal.bar(batch.total - batch.pending, of: batch.total, width: 16),
                    "\(batch.total - batch.pending)/\(batch.total)", "\(batch.failed)",
                ]
            }
            let header = ["ID", "NAME", "TENANT", "STATE", "PROGRESS", "ENDED", "FAILED"]
            return Terminal.table(header, rows, right: [0, 5, 6])
        }
    }

    private func one(_ id: Int, _ fleet: Fleet) async throws -> String {
        guard let batch = try await fleet.queue.batch(id) else {
            throw CommandEnd.missing(
                "There is no batch \(id): `groundcrew batches` lists them, and finished ones go after 14 days."
            )
        }
        let failures = try await Inspector(fleet.queue).failures(of: id, limit: limit)
        guard !view.json else {
            return JSON.object(
                (batch.json.objectValue ?? [:]).merging(["failures": .array(failures.map(\.json))]) { $1 }
            )
            .text
        }
        let members = (batch.json.objectValue ?? [:]).sorted { $0.key < $1.key }.map { name, value in
            name.padding(to: 16) + (value.stringValue ?? value.text)
        }
        guard !failures.isEmpty else { return members.joined(separator: "\n") }
        let rows = failures.map { ["\($0.job)", $0.kind, $0.state, $0.error ?? ""] }
        return members.joined(separator: "\n") + "\n\n"
            + Terminal.table(["JOB", "KIND", "STATE", "ERROR"], rows, right: [0])
    }
}

extension BatchView {
    fileprivate var json: JSON {
        [
            "id": .integer(id), "name": .string(name), "tenant": .string(tenant), "state": .string(state.rawValue),
            "total": .integer(total), "pending": .integer(pending), "failed": .integer(failed),
            "progress": .number(progress), "all_job": allJob.map(JSON.integer) ?? .null,
            "any_failed_job": anyFailedJob.map(JSON.integer) ?? .null, "last_job": lastJob.map(JSON.integer) ?? .null,
        ]
    }
}

extension BatchFailure {
    fileprivate var json: JSON {
        [
            "id": .integer(job), "kind": .string(kind), "state": .string(state),
            "error": error.map(JSON.string) ?? .null,
        ]
    }
}
