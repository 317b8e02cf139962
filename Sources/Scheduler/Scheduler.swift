package import Domain
private import Glibc
package import Jobs
package import Logging
package import Queue
import ServiceLifecycle

/// A scheduler process. Run two: one is active, the other takes over within five seconds of its death.
package struct SchedulerService: Service, CustomStringConvertible {
    package var description: String { "scheduler" }

    private let floor: SchedulerFloor
    private let leadership: Leadership
    private let logger: Logger

    /// - Parameters:
    ///   - name: tells this process from the others; unique per process.
    ///   - retention: how long finished jobs are kept.
    ///   - paidModes: those whose tasks are funded through Stripe.
    ///   - liveKeys: those of them whose key is one for real money.
    package init(
        _ queue: JobQueue,
        name: String,
        host: String,
        hooks: TestHooks,
        retention: Duration = .seconds(86_400),
        paidModes: Set<KeyMode> = [],
        liveKeys: Set<KeyMode> = [],
        logger: Logger
    ) {
        floor = SchedulerFloor(
            queue: queue,
            reaper: Reaper(queue.ledger, queue.dispatch, logger: logger),
            sweeper: Sweeper(queue.ledger, queue.dispatch, logger: logger),
            pruner: Pruner(queue.ledger, retention: retention),
            crew: CrewRecovery(queue, logger: logger),
            clock: ScheduleClock(queue, logger: logger),
            hooks: hooks,
            paidModes: paidModes,
            liveKeys: liveKeys,
            logger: logger
        )
        leadership = Leadership(queue.postgres, holder: name, host: host)
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await lead() }
                group.addTask { await tick() }
                for task in Timetable.tasks(floor) { group.addTask { await keep(task) } }
            }
        }
        // The task is cancelled by now, and the lease shall be given up all the same.
        await Task { await leadership.resign() }.value
    }

    private func lead() async {
        var active = false
        while !Task.isCancelled {
            let now = await leadership.renew()
            if now != active { logger.notice(now ? "this scheduler is active" : "another scheduler is active") }
            active = now
            try? await Task.sleep(for: Leadership.beat)
        }
    }

    /// Fires schedules, and sleeps until the next one is due.
    private func tick() async {
        while !Task.isCancelled {
            var wait = Duration.milliseconds(200)
            if leadership.isActive {
                do {
                    wait = try await floor.clock.run()
                } catch {
                    logger.warning("schedules could not be fired; trying again", metadata: ["error": "\(error)"])
                }
            }
            try? await Task.sleep(for: wait)
        }
    }

    /// Runs a task as soon as this scheduler is the active one, and then at its interval: one that runs daily must not wait a
    /// day for its turn.
    private func keep(_ task: PeriodicTask) async {
        while !Task.isCancelled {
            guard leadership.isActive else {
                try? await Task.sleep(for: min(task.every, Leadership.beat))
                continue
            }
            do {
                try await task.run()
            } catch {
                logger.warning(
                    "a periodic task failed; it will run again",
                    metadata: ["task": "\(task.name)", "error": "\(error)"]
                )
            }
            try? await Task.sleep(for: task.every)
        }
    }
}
