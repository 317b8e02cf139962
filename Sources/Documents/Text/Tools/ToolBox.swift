import Domain
import FoundationEssentials
import Logging
import Subprocess

/// Runs tools behind ``ToolWalls`` and says how it ended.
struct ToolBox: Sendable {
    /// Bytes that a tool may print.
    static let outputLimit = 8 << 20

    /// Folders parted by colons.
    let searchPath: String
    /// Per run, by the clock and of CPU.
    let seconds: Int
    /// Nothing is run where one of the walls is missing.
    let requiresWalls: Bool
    let logger: Logger

    /// Runs a program over files of a folder.
    ///
    /// - Throws: `CancellationError` once the task is cancelled and the tool is gone, ``ExtractionFault`` where the program
    ///   or a part of the walls is not installed.
    func run(_ program: Program, _ arguments: [String], in folder: WorkFolder) async throws -> ToolReport {
        let path = try find(program)
        let walls = await ToolWalls.standing()
        if requiresWalls, let gap = walls.gap {
            throw ExtractionFault("GC_SANDBOX=require, and on this machine \(gap). \(ToolWalls.remedy)")
        }
        let limits = walls.command(
            around: path,
            folder: folder.path,
            seconds: seconds,
            addressSpace: program.addressSpace
        )
        let status = try await ToolGate.shared.pass { try await self.status(of: limits + [path] + arguments) }
        try Task.checkCancellation()
        let report = ToolReport(
            status: status,
            output: folder.read("out", limit: Self.outputLimit),
            message: String(decoding: folder.read("err", limit: 4096), as: UTF8.self)
        )
        log(report, program)
        return report
    }

    private func status(of command: [String]) async throws -> Int {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
        do {
            let result = try await Subprocess.run(
                .name(command[0]),
                arguments: Arguments(Array(command.dropFirst())),
                environment: Self.environment,
                platformOptions: options,
                output: .discarded
            )
            switch result.terminationStatus {
            case .exited(let code): return Int(code)
            // As a shell counts.
            case .signaled(let signal): return 128 + Int(signal)
            }
        } catch {
            try Task.checkCancellation()
            throw ExtractionFault(
                "\(command[0]) cannot be run: \(error). Install coreutils and util-linux (scripts/setup.sh)."
            )
        }
    }

    /// None of our settings or secrets.
    static let environment = Environment.custom([
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/nonexistent",
    ])

    /// - Throws: ``ExtractionFault`` where it is not installed.
    func find(_ program: Program) throws -> String {
        let places = searchPath.split(separator: ":").map { "\($0)/\(program.rawValue)" }
        guard let found = places.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw ExtractionFault(
                "The program \(program.rawValue) is not installed. Install the Debian package \(program.aptPackage), or run scripts/setup.sh."
            )
        }
        return found
    }

    private func log(_ report: ToolReport, _ program: Program) {
        guard report.end != .done else { return }
        logger.debug(
            "a tool could not read a file",
            metadata: [
                "tool": "\(program.rawValue)", "status": "\(report.status)", "output": "\(report.message.prefix(500))",
            ]
        )
    }
}

/// What a tool left behind.
struct ToolReport {
    enum End: Equatable {
        case done
        /// Its own exit code, and nothing that the walls did.
        case failed(Int)
        /// It ran into a wall.
        case tooLarge
    }

    /// As a shell counts: 128 and the signal, where a signal ended it.
    let status: Int
    let output: [UInt8]
    /// The beginning of what it complained of.
    let message: String

    /// It would have printed more, and was stopped.
    var isCut: Bool { output.count >= ToolBox.outputLimit }

    var end: End {
        switch status {
        // Killed by a clock, or by the kernel for its memory; the clock counts first.
        case 128 + 9, 128 + 24: .tooLarge
        // What it printed up to the wall is good.
        case _ where isCut: .done
        case 0: .done
        // Haskell's runtime: heap exhausted.
        case 251: .tooLarge
        case _ where Self.signsOfMemory.contains { message.contains($0) }: .tooLarge
        default: .failed(status)
        }
    }

    private static let signsOfMemory = [
        "MemoryError", "Cannot allocate memory", "cannot allocate memory", "Out of memory", "out of memory",
        "std::bad_alloc", "malloc: failed", "heap exhausted", "stack overflow", "Stack space overflow",
        "memory exhausted",
    ]
}
