import ArgumentParser
import Domain
import Queue

/// How an inspection command shows what it found.
struct ViewOptions: ParsableArguments {
    @Flag(help: "Print JSON for programs.")
    var json = false

    @Flag(help: "Show it anew every second until interrupted.")
    var watch = false

    func show(_ render: (Fleet) async throws -> String) async throws {
        try await withFleet { fleet in
            repeat {
                let text = try await render(fleet)
                if watch, Terminal.isInteractive {
                    Terminal.say("\u{1B}[H\u{1B}[2J" + text)
                } else {
                    Terminal.say(text)
                }
                if watch { try await Task.sleep(for: .seconds(1)) }
            } while watch
        }
    }
}

extension QueueDepth {
    var json: JSON {
        [
            "ready": .integer(ready), "delayed": .integer(delayed), "running": .integer(running),
            "dead": .integer(dead), "mode": .string(mode.rawValue),
            "oldest_ready_seconds": oldestReady.map(JSON.number) ?? .null,
            "in_redis": inRedis.map(JSON.integer) ?? .null,
        ]
    }
}

extension JobView {
    var json: JSON {
        func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
        return [
            "id": .integer(id), "kind": .string(kind), "queue": .string(queue), "tenant": .string(tenant),
            "state": .string(state), "priority": .integer(priority), "attempt": .integer(attempt),
            "failures": .integer(failures), "losses": .integer(losses), "max_attempts": .integer(maxAttempts),
            "session": session.map(JSON.integer) ?? .null, "payload": .string(payload), "unique_key": text(uniqueKey),
            "progress": text(progress), "error": text(error), "dead_reason": text(deadReason), "run_at": .string(runAt),
            "created_at": .string(createdAt), "claimed_at": text(claimedAt), "finished_at": text(finishedAt),
            "result": text(result), "batch": batch.map(JSON.integer) ?? .null, "blocked_by": .integer(blockedBy),
            "leads": .bool(leads), "unreadable": .integer(unreadable),
            "concurrency_key": text(concurrencyKey),
        ]
    }
}

extension WorkerView {
    var json: JSON {
        [
            "session": .integer(session), "state": .string(state), "host": .string(host), "pid": .integer(processID),
            "version": .string(version), "queues": .array(queues.map(JSON.string)), "slots": .integer(slots),
            "running": .integer(running), "lease_seconds": .number(leaseSeconds), "up_seconds": .number(upSeconds),
            "heard_seconds": .number(heardSeconds), "jobs": .array(now.map(\.json)),
        ]
    }
}

extension SlotView {
    var json: JSON {
        [
            "id": .integer(job), "kind": .string(kind), "queue": .string(queue), "tenant": .string(tenant),
            "attempt": .integer(attempt), "seconds": .number(seconds),
            "progress": progress.map(JSON.string) ?? .null, "cancel_requested": .bool(cancelRequested),
        ]
    }
}

extension String {
    func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
