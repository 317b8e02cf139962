import ArgumentParser
import Documents
import Domain
import FoundationEssentials
import Glibc
import Logging

struct ExtractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract:
            "Show the text that the fleet would take from files: each one's status, and each block with its place.",
        discussion: """
            Needs no database. Ends with 0 where every status is indexed, empty or binary, with 1 where one is encrypted, \
            broken or too_large. GC_LOG_LEVEL=debug also shows what the tool complained of.
            """
    )

    @Argument(help: "The files. Its extension says what each should be.") var files: [String]
    @Flag(help: "Print JSON, one line for each file: status, truncated, and the blocks.") var json = false
    @Flag(help: "Also print how long it took, and the most memory that this process has had so far.")
    var measure = false

    func run() async throws {
        let settings = Settings.load()
        let extractor = FileTextExtractor(
            logger: try Fleet.logger(settings, level: nil),
            requiresWalls: try settings.requiresSandbox()
        )
        var allRead = true
        for file in files {
            let (begin, used) = (ContinuousClock.now, Usage.now)
            let extracted = try await text(of: file, by: extractor)
            let measured = measure ? Measured(seconds: begin.duration(to: .now) / .seconds(1), since: used) : nil
            Terminal.say(json ? self.json(extracted, file, measured) : report(extracted, file, measured))
            allRead = allRead && [.indexed, .empty, .binary].contains(extracted.status)
        }
        if !allRead { throw CommandEnd(.no) }
    }

    private func text(of file: String, by extractor: FileTextExtractor) async throws -> ExtractedText {
        let path = file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
        do {
            return try await extractor.text(of: path, filename: file)
        } catch let fault as ExtractionFault {
            throw CommandEnd(.failed, fault.description)
        }
    }

    private func json(_ text: ExtractedText, _ file: String, _ measured: Measured?) -> String {
        var members = text.members
        if files.count > 1 { members["file"] = .string(file) }
        if let measured { members["measured"] = measured.json }
        return JSON.object(members).text
    }

    private func report(_ text: ExtractedText, _ file: String, _ measured: Measured?) -> String {
        let name = files.count > 1 ? [Terminal.paint(file, .bold)] : []
        let end = files.count > 1 ? [""] : []
        return (name + [text.summary] + [measured?.summary].compactMap(\.self) + end).joined(separator: "\n")
    }
}

/// What this process has had of the machine so far. Behind the walls nobody counts what a tool takes; it has hard limits.
private struct Usage {
    /// KiB, at most.
    let memory: Int
    /// CPU time.
    let seconds: Double

    static var now: Usage {
        var usage = rusage()
        guard getrusage(Int32(RUSAGE_SELF.rawValue), &usage) == 0 else { return Usage(memory: 0, seconds: 0) }
        let (user, system) = (usage.ru_utime, usage.ru_stime)
        let seconds = Double(user.tv_sec + system.tv_sec) + Double(user.tv_usec + system.tv_usec) / 1_000_000
        return Usage(memory: usage.ru_maxrss, seconds: seconds)
    }
}

/// What reading one file took.
private struct Measured {
    /// By the clock.
    let seconds: Double
    let cpuSeconds: Double
    let memory: Int

    init(seconds: Double, since before: Usage) {
        let now = Usage.now
        self.seconds = seconds
        cpuSeconds = now.seconds - before.seconds
        memory = now.memory
    }

    var json: JSON {
        ["seconds": .number(seconds), "cpuSeconds": .number(cpuSeconds), "memoryKiB": .integer(memory)]
    }

    var summary: String {
        "\nread in \(Double(Int(seconds * 100)) / 100) s; at most \(memory >> 10) MiB in this process so far"
    }
}

extension ExtractedText {
    fileprivate var members: [String: JSON] {
        [
            "status": .string(status.rawValue), "truncated": .bool(truncated), "blocks": .array(blocks.map(\.json)),
        ]
    }

    fileprivate var summary: String {
        let length = blocks.reduce(0) { $0 + $1.text.unicodeScalars.count }
        let end = truncated ? ", cut at the limit" : ""
        let head = "status: \(status.rawValue); \(blocks.count) blocks, \(length) characters\(end)"
        return ([head] + blocks.map { "\n[\($0.place)]\n\($0.text)" }).joined(separator: "\n")
    }
}

extension TextBlock {
    fileprivate var place: String {
        [kindName, page.map { "page \($0)" }, sheet.map { "sheet \($0)" }].compactMap { $0 }.joined(separator: ", ")
    }

    private var kindName: String {
        switch kind {
        case .heading(let level): "heading \(level)"
        case .paragraph: "paragraph"
        case .table: "table"
        case .code: "code"
        }
    }

    fileprivate var json: JSON {
        [
            "kind": .string(kindName), "text": .string(text), "page": page.map { .integer($0) } ?? .null,
            "sheet": sheet.map { .string($0) } ?? .null,
        ]
    }
}
