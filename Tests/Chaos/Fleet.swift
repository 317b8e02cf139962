import Foundation
import TestSupport

/// The processes under test: what must run, and what runs.
actor Fleet {
    enum Role: String, Sendable { case worker, scheduler, api }

    private struct Berth {
        let role: Role
        let arguments: [String]
        let environment: [String: String]
        let log: String
        var process: FleetProcess?
    }

    private let binary: String
    private var berths: [Berth] = []

    init(binary: String) {
        self.binary = binary
    }

    func add(_ role: Role, _ arguments: [String], _ environment: [String: String], folder: String) {
        let log = "\(folder)/\(role.rawValue)-\(berths.count).log"
        berths.append(Berth(role: role, arguments: arguments, environment: environment, log: log, process: nil))
    }

    /// Starts whatever should run and does not: a process that was killed, or that gave up while its database was away.
    func tend() throws {
        for index in berths.indices where berths[index].process?.isRunning != true {
            let berth = berths[index]
            let environment = berth.environment.merging(["GC_BINARY": binary]) { $1 }
            berths[index].process = try FleetProcess(berth.arguments, environment, log: berth.log)
        }
    }

    /// Sends a signal to one of a role.
    ///
    /// - Parameter draw: any number; it chooses which.
    /// - Returns: who was hit.
    func signal(_ signal: Int32, _ role: Role, _ draw: Int) -> FleetProcess? {
        let running = berths.filter { $0.role == role }.compactMap(\.process).filter(\.isRunning)
        guard !running.isEmpty else { return nil }
        let chosen = running[draw % running.count]
        chosen.signal(signal)
        return chosen
    }

    func wakeAll() { for berth in berths { berth.process?.signal(SIGCONT) } }

    func killAll() {
        for berth in berths { berth.process?.signal(SIGKILL) }
    }

    /// How often a line of this kind is in the logs.
    func count(of text: String) -> Int {
        berths.reduce(0) { sum, berth in
            guard let log = try? Data(contentsOf: URL(filePath: berth.log)) else { return sum }
            return sum + String(decoding: log, as: UTF8.self).split(separator: "\n").count { $0.contains(text) }
        }
    }
}
