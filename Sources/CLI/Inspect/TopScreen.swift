import Domain
import Queue

/// What `top` shows, from one frame: text of at most 100 columns, or JSON. Pure.
enum TopScreen {
    static func lines(_ frame: FleetFrame) -> [String] {
        var blocks = [head(frame), queues(frame)]
        if !frame.tenants.isEmpty { blocks.append(tenants(frame)) }
        blocks.append(workers(frame))
        return blocks.joined(separator: "\n\n").split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init
        )
    }

    private static func head(_ frame: FleetFrame) -> String {
        let busy = frame.workers.reduce(0) { $0 + $1.running }
        let slots = frame.workers.reduce(0) { $0 + $1.slots }
        let redis =
            frame.redisIsConnected ? "" : "   " + Terminal.paint("Redis is away: no fairness, no caps", .red)
        return Terminal.paint("groundcrew top", .bold)
            + "   \(frame.workers.count) \(frame.workers.count == 1 ? "worker" : "workers"), \(busy) of \(slots) slots busy"
            + redis
    }

    private static func queues(_ frame: FleetFrame) -> String {
        let rows = frame.queues.sorted { $0.key < $1.key }.map { name, depth in
            [
                name, depth.mode.rawValue, "\(depth.ready)", "\(depth.delayed)", "\(depth.running)", "\(depth.dead)",
                frame.rates[name].map { perSecond($0.entered) } ?? "-",
                frame.rates[name].map { perSecond($0.left) } ?? "-",
                depth.oldestReady.map(Terminal.seconds) ?? "-",
            ]
        }
        let header = ["QUEUE", "MODE", "READY", "DELAYED", "RUNNING", "DEAD", "IN/S", "OUT/S", "OLDEST"]
        return Terminal.table(header, rows, right: [2, 3, 4, 5, 6, 7, 8])
    }

    private static func workers(_ frame: FleetFrame) -> String {
        guard !frame.workers.isEmpty else { return Terminal.paint("No worker is there.", .red) }
        let busiest = frame.workers.sorted { $0.running > $1.running }.prefix(16)
        let rows = busiest.map { worker in
            [
                "\(worker.session)", worker.host, "\(worker.processID)", worker.state,
                Terminal.bar(worker.running, of: worker.slots, width: 16), "\(worker.running)/\(worker.slots)",
                Terminal.seconds(worker.heardSeconds),
                worker.now.first.map { "\($0.kind) \($0.job) for \(Terminal.seconds($0.seconds))" } ?? "",
            ]
        }
        let header = ["SESSION", "HOST", "PID", "STATE", "SLOTS", "BUSY", "HEARD", "LONGEST"]
        let table = Terminal.table(header, rows, right: [0, 2, 5, 6])
        let others = frame.workers.count - busiest.count
        return others > 0 ? table + "\n… and \(others) more workers" : table
    }

    private static func tenants(_ frame: FleetFrame) -> String {
        let rows = frame.tenants.map { tenant in
            [
                tenant.tenant.isEmpty ? "(the house)" : tenant.tenant, tenant.queue, "\(tenant.ready)",
                "\(tenant.running)", tenant.cap == 0 ? "-" : "\(tenant.cap)", Terminal.seconds(tenant.oldest),
                tenant.cap > 0 && tenant.running >= tenant.cap ? "at its cap" : "",
            ]
        }
        let header = ["WAITS MOST", "QUEUE", "READY", "RUNNING", "CAP", "OLDEST", ""]
        return Terminal.table(header, rows, right: [2, 3, 4, 5])
    }

    private static func perSecond(_ rate: Double) -> String {
        rate >= 100 ? "\(Int(rate))" : "\(Double(Int(rate * 10)) / 10)"
    }

    static func json(_ frame: FleetFrame) -> JSON {
        let queues = frame.queues.map { name, depth in
            var members = depth.json.objectValue ?? [:]
            members["entered_per_second"] = frame.rates[name].map { .number($0.entered) } ?? .null
            members["left_per_second"] = frame.rates[name].map { .number($0.left) } ?? .null
            return (name, JSON.object(members))
        }
        return [
            "redis": .bool(frame.redisIsConnected), "workers": .array(frame.workers.map(\.json)),
            "queues": .object(Dictionary(uniqueKeysWithValues: queues)),
            "waiting_most": .array(frame.tenants.map(\.json)),
        ]
    }
}

extension TenantWait {
    fileprivate var json: JSON {
        [
            "tenant": .string(tenant), "queue": .string(queue), "ready": .integer(ready), "running": .integer(running),
            "cap": .integer(cap), "oldest_seconds": .number(oldest),
        ]
    }
}
