import Domain
import Jobs
import Logging
import PostgresClient
import Queue
import Stores

/// One periodic task.
struct PeriodicTask: Sendable {
    let name: String
    let every: Duration
    let run: @Sendable () async throws -> Void
}

/// Every periodic task, one line each. All are safe to run twice and at any time.
enum Timetable {
    static func tasks(_ floor: SchedulerFloor) -> [PeriodicTask] {
        var tasks = [
            PeriodicTask(name: "agree with Redis", every: .seconds(1)) { _ = await floor.queue.dispatch.verify() },
            PeriodicTask(name: "refresh caps", every: .seconds(5)) { try await floor.queue.dispatch.refreshLimits() },
            PeriodicTask(name: "give back places of keys that nobody has", every: .seconds(10)) {
                try await floor.queue.dispatch.tidyPlaces()
            },
            PeriodicTask(name: "tell Redis of paused queues", every: .seconds(1)) {
                try await floor.queue.dispatch.refreshModes()
            },
            PeriodicTask(name: "recover crew runs", every: .seconds(2)) { try await floor.crew.run() },
            PeriodicTask(name: "remove old exports", every: .seconds(600)) {
                _ = try await floor.queue.postgres.query(ExportFiles.prune)
            },
            PeriodicTask(name: "forget uploads that nobody handed in", every: .seconds(3600)) {
                _ = try await floor.queue.postgres.query(ContributorStore.forgetUploads)
            },
            PeriodicTask(name: "remove leftover files", every: .seconds(3600)) {
                try await DeleteBlob.sweep(floor.queue)
            },
            PeriodicTask(name: "recount storage", every: .seconds(86_400)) {
                try await floor.recountStorage()
            },
            PeriodicTask(name: "recover rebuilds of file indexes", every: .seconds(60)) {
                try await ContextUpkeep.recover(floor.queue)
            },
            PeriodicTask(name: "let go of old file indexes", every: .seconds(60)) {
                try await ContextUpkeep.prune(floor.queue)
            },
            PeriodicTask(name: "recover webhooks", every: .seconds(10)) {
                try await EnqueueDeliveries.recover(floor.queue)
            },
            PeriodicTask(name: "recover payments", every: .seconds(60)) {
                try await PaymentsRecovery.run(floor.queue, modes: floor.paidModes, liveKeys: floor.liveKeys)
            },
            PeriodicTask(name: "compare subscriptions with Stripe", every: .seconds(3600)) {
                try await CompareSubscriptions.daily(floor.queue, modes: floor.paidModes)
            },
            PeriodicTask(name: "forget old Stripe events", every: .seconds(3600)) {
                try await PaymentsRecovery.prune(floor.queue)
            },
            PeriodicTask(name: "recover mails", every: .seconds(10)) { try await EnqueueMails.recover(floor.queue) },
            PeriodicTask(name: "prune finished jobs", every: .seconds(60)) { try await floor.pruner.run() },
        ]
        tasks.append(
            PeriodicTask(name: "forget sessions and answers", every: .seconds(3600)) {
                try await AccountUpkeep(floor.queue.postgres).run()
            }
        )
        guard floor.hooks.mutant != .noSweep else { return tasks }
        tasks.append(
            PeriodicTask(name: "end lost sessions", every: .milliseconds(500)) {
                try await floor.hooks.forgetLosses(floor.queue)
                try await floor.reaper.run()
            }
        )
        tasks.append(PeriodicTask(name: "sweep waiting jobs", every: .seconds(1)) { try await floor.sweeper.run() })
        return tasks
    }
}

/// What the tasks work with.
struct SchedulerFloor: Sendable {
    let queue: JobQueue
    let reaper: Reaper
    let sweeper: Sweeper
    let pruner: Pruner
    let crew: CrewRecovery
    let clock: ScheduleClock
    let hooks: TestHooks
    /// Modes whose tasks are funded through Stripe.
    let paidModes: Set<KeyMode>
    /// Those of them whose key is one for real money.
    let liveKeys: Set<KeyMode>
    let logger: Logger

    /// Says in the log what was wrong: a counter that differs from its files is a fault of ours.
    func recountStorage() async throws {
        for correction in try await StorageUsage.recount(queue.postgres) {
            logger.error(
                "a tenant's storage was counted wrongly, and is put right",
                metadata: [
                    "tenant": "\(correction.tenant)", "counted": "\(correction.counted)",
                    "actual": "\(correction.actual)",
                ]
            )
        }
    }
}
