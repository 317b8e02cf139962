import ArgumentParser

/// The one binary. Every command is a file of its own in the folders beside this one.
@main
struct Groundcrew: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "groundcrew",
        abstract: "Job queue, worker fleet and crew engine.",
        discussion: ExitStatus.table,
        version: version,
        groupedSubcommands: [
            CommandGroup(name: "Try it", subcommands: [DevCommand.self, DemoCommand.self]),
            CommandGroup(
                name: "The fleet's processes",
                subcommands: [APICommand.self, WorkerCommand.self, SchedulerCommand.self, MigrateCommand.self]
            ),
            CommandGroup(name: "Schedules", subcommands: [SchedulesCommand.self]),
            CommandGroup(name: "Accounts", subcommands: [AdminCommand.self]),
            CommandGroup(name: "Data collection", subcommands: [TaskCommand.self]),
            CommandGroup(
                name: "Look at the queue",
                subcommands: [
                    TopCommand.self, QueuesCommand.self, JobsCommand.self, JobCommand.self, DeadCommand.self,
                    BatchesCommand.self, WorkersCommand.self, ProvidersCommand.self, EmailsCommand.self,
                    DoctorCommand.self,
                ]
            ),
            CommandGroup(
                name: "Operate the queue",
                subcommands: [
                    RetryCommand.self, DropCommand.self, CancelCommand.self, PauseCommand.self, ResumeCommand.self,
                    CloseCommand.self, LimitsCommand.self,
                ]
            ),
            CommandGroup(name: "Payments", subcommands: [StripeCommand.self]),
            CommandGroup(name: "More", subcommands: [ExtractCommand.self, ConfigCommand.self, BenchCommand.self]),
        ]
    )
}
