import ArgumentParser
import Documents
import Domain
import FoundationEssentials
import Logging

struct ExtractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Show the text that the fleet would take from a file: its status, and each block with its place.",
        discussion: """
            Needs no database. Ends with 0 where the status is indexed, empty or binary, with 1 where it is encrypted, \
            broken or too_large. GC_LOG_LEVEL=debug also shows what the tool complained of.
            """
    )

    @Argument(help: "The file. Its extension says what it should be.") var file: String
    @Flag(help: "Print JSON: status, truncated, and the blocks.") var json = false

    func run() async throws {
        let path = file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
        let extracted: ExtractedText
        do {
            extracted = try await FileTextExtractor(logger: Fleet.logger(.load(), level: nil)).text(
                of: path,
                filename: file
            )
        } catch let fault as ExtractionFault {
            throw CommandEnd(.failed, fault.description)
        }
        Terminal.say(json ? extracted.json.text : extracted.summary)
        switch extracted.status {
        case .indexed, .empty, .binary: return
        case .encrypted, .broken, .tooLarge: throw CommandEnd(.no)
        }
    }
}

extension ExtractedText {
    fileprivate var json: JSON {
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
