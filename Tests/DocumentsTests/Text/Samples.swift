import Documents
import Domain
import Foundation
import Logging
import Subprocess

/// Files that the Python scripts of Tests/Fixtures/extraction write, once for all tests.
enum Samples {
    static let folder = Task { try await written(by: "samples.py").folder }
    /// With the line that the script printed for each.
    static let nasty = Task { try await written(by: "nasty.py") }

    static func extractor(seconds: Int = 15) -> FileTextExtractor {
        FileTextExtractor(logger: Logger(label: "test"), seconds: seconds)
    }

    /// The text of a sample.
    static func text(_ name: String) async throws -> ExtractedText {
        try await extractor().text(of: folder.value + "/" + name, filename: name)
    }

    /// The text of bytes.
    static func text(_ bytes: [UInt8], as name: String) async throws -> ExtractedText {
        try await withFolder { folder in
            let path = folder + "/upload"
            try Data(bytes).write(to: URL(filePath: path))
            return try await extractor().text(of: path, filename: name)
        }
    }

    static func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "extraction-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder.path)
    }

    private static func written(by script: String) async throws -> (folder: String, lines: String) {
        let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures/extraction")
        let folder = FileManager.default.temporaryDirectory.appending(path: "extraction-\(script)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let result = try await Subprocess.run(
            .name("python3"),
            arguments: ["-B", scripts.standardizedFileURL.path + "/" + script, folder.path],
            output: .string(limit: 100_000),
            error: .string(limit: 100_000)
        )
        guard result.terminationStatus.isSuccess else { throw ScriptFailed(message: result.standardError) }
        return (folder.path, result.standardOutput)
    }

    struct ScriptFailed: Error { let message: String }
}

extension ExtractedText {
    /// Each block in one line: its kind, its place, its text.
    var lines: [String] {
        blocks.map { block in
            let place = block.page.map { " p\($0)" } ?? block.sheet.map { " [\($0)]" } ?? ""
            return "\(block.kindLetter)\(place): \(block.text)"
        }
    }
}

extension TextBlock {
    fileprivate var kindLetter: String {
        switch kind {
        case .heading(let level): "h\(level)"
        case .paragraph: "p"
        case .table: "t"
        case .code: "c"
        }
    }
}
