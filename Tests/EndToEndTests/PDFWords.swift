import Foundation
import TestSupport

/// The words of a PDF, each line as it is on the page (`pdftotext -layout`).
func words(ofPDF bytes: [UInt8]) throws -> String {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pdf")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try ChildProcess.run("/usr/bin/pdftotext", ["-layout", file.path, "-"]).text
}
