import Documents
import Domain
import Foundation
import Logging
import Testing

/// Files made to hurt: each has a clear status in time.
@Suite("Nasty files", .serialized)
struct NastyFilesTests {
    @Test("Seventy hostile and damaged files end with a status in time, and leak nothing")
    func all() async throws {
        let nasty = try await Samples.nasty.value
        let lines = nasty.lines.split(separator: "\n")
        #expect(lines.count >= 70)
        let results = try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, line) in lines.enumerated() {
                if number >= 2 { try await group.next() }
                group.addTask { try await check(line, in: nasty.folder) }
            }
            try await group.waitForAll()
            return lines.count
        }
        #expect(results == lines.count)
        #expect(!FileManager.default.fileExists(atPath: "/tmp/slipped"))
    }

    private func check(_ line: Substring, in folder: String) async throws {
        let fields = line.split(separator: "\t").map(String.init)
        let (name, allowed) = (fields[0], fields[1].split(separator: " ").map(String.init))
        let begin = ContinuousClock.now
        let text = try await Samples.extractor().text(of: "\(folder)/\(name)", filename: name)
        // The extractor's own limit is 18 s; the rest is for a busy machine.
        #expect(begin.duration(to: .now) <= .seconds(90), "\(name)")
        #expect(allowed.contains(text.status.rawValue), "\(name) is \(text.status.rawValue)")
        #expect(!text.blocks.contains { $0.text.contains("root:") }, "\(name)")
        #expect(text.blocks.isEmpty == (text.status != .indexed), "\(name)")
    }
}
