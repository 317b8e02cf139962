import Documents
import Domain
import Foundation
import Logging
import TestSupport
import Testing

/// What happens when a tool hangs, is missing, or is not wanted any more.
@Suite("Tools behind walls")
struct ToolBoxTests {
    /// A folder with a program in the place of pdftotext, and an extractor that looks there first.
    private func withTool<Result>(
        _ script: String,
        seconds: Int = 15,
        _ body: (FileTextExtractor) async throws -> Result
    ) async throws -> Result {
        try await Samples.withFolder { folder in
            let tool = folder + "/pdftotext"
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: tool))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool)
            let path = "\(folder):/usr/bin:/bin"
            return try await body(FileTextExtractor(logger: Logger(label: "test"), searchPath: path, seconds: seconds))
        }
    }

    private func paper() async throws -> String { try await Samples.folder.value + "/paper.pdf" }

    /// Processes whose command line holds `mark`.
    private func processes(_ mark: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.filter { number in
            let line = try? Data(contentsOf: URL(filePath: "/proc/\(number)/cmdline"))
            return line.map { String(decoding: $0, as: UTF8.self).contains(mark) } ?? false
        }
    }

    @Test("A tool that hangs is ended with all it started, and the file is too large")
    func hung() async throws {
        let nap = "7\(Int.random(in: 100_000...999_999))"
        try await withTool("sleep \(nap) & sleep \(nap); wait", seconds: 2) { extractor in
            let begin = ContinuousClock.now
            let text = try await extractor.text(of: paper(), filename: "paper.pdf")
            #expect(text == ExtractedText(status: .tooLarge))
            #expect(begin.duration(to: .now) < .seconds(90))
        }
        try await eventually(within: .seconds(5), "the sleepers to be gone") { try processes(nap).isEmpty }
    }

    @Test("A cancelled extraction ends its tool with all it started")
    func cancelling() async throws {
        let nap = "6\(Int.random(in: 100_000...999_999))"
        try await withTool("sleep \(nap) & sleep \(nap); wait") { extractor in
            let path = try await paper()
            let reading = Task { try await extractor.text(of: path, filename: "paper.pdf") }
            try await eventually(within: .seconds(60), "the tool to run") { try processes("sleep\0\(nap)").count == 2 }
            reading.cancel()
            await #expect(throws: CancellationError.self) { _ = try await reading.value }
        }
        try await eventually(within: .seconds(5), "the sleepers to be gone") { try processes(nap).isEmpty }
    }

    @Test("What a tool prints beyond 8 MB is cut, and what came before is kept")
    func endless() async throws {
        try await withTool("yes 'a line of text that never ends'") { extractor in
            let text = try await extractor.text(of: paper(), filename: "paper.pdf")
            #expect(text.status == .indexed)
            #expect(text.truncated)
        }
    }

    @Test("A tool sees neither our settings nor the network, and cannot change the original")
    func walls() async throws {
        let original = try await Data(contentsOf: URL(filePath: paper()))
        try await withTool("env; cat /proc/net/dev; echo x >> input.pdf; ulimit -a") { extractor in
            let text = try await extractor.text(of: paper(), filename: "paper.pdf")
            let words = text.blocks.map(\.text).joined(separator: "\n")
            #expect(words.contains("HOME=/nonexistent"))
            #expect(!words.contains("SWIFT"))
            #expect(!words.contains("eth0"))
        }
        #expect(try await Data(contentsOf: URL(filePath: paper())) == original)
    }

    @Test("A link in the place of the output is not followed")
    func link() async throws {
        try await withTool("ln -sf /etc/passwd out") { extractor in
            let text = try await extractor.text(of: paper(), filename: "paper.pdf")
            #expect(text == ExtractedText(status: .empty))
        }
    }

    @Test("A missing program is named with the package that has it")
    func missing() async throws {
        let extractor = FileTextExtractor(logger: Logger(label: "test"), searchPath: "/nowhere")
        let path = try await paper()
        let fault = await #expect(throws: ExtractionFault.self) {
            try await extractor.text(of: path, filename: "paper.pdf")
        }
        #expect(fault?.description.contains("pdftotext") ?? false)
        #expect(fault?.description.contains("poppler-utils") ?? false)
    }

    @Test("Ten files at once are all read")
    func crowd() async throws {
        let path = try await paper()
        let statuses = try await withThrowingTaskGroup(of: TextStatus.self) { group in
            for _ in 0..<10 {
                group.addTask { try await Samples.extractor().text(of: path, filename: "paper.pdf").status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: .indexed, count: 10))
    }
}
