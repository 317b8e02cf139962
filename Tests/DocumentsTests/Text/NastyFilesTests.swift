import Foundation
import TestSupport
import Testing

/// Files made to hurt, read by real processes: each has a clear status in time, and none makes its reader large.
@Suite("Nasty files", .serialized)
struct NastyFilesTests {
    /// One line of `groundcrew extract --json --measure`.
    private struct Reading: Decodable {
        struct Block: Decodable { let text: String }
        struct Measured: Decodable {
            let cpuSeconds: Double
            /// The most that the process has had so far. What a tool may take has a hard limit of its own.
            let memoryKiB: Int
        }

        let file: String
        let status: String
        let blocks: [Block]
        let measured: Measured

        var name: String { String(file.split(separator: "/").last ?? "") }
    }

    @Test("Seventy hostile and damaged files end with a status in time, in little memory, and leak nothing")
    func all() async throws {
        let nasty = try await Samples.nasty.value
        let lines = nasty.lines.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        #expect(lines.count >= 70)
        let allowed = Dictionary(
            uniqueKeysWithValues: lines.map { ($0[0], $0[1].split(separator: " ").map(String.init)) }
        )
        let samples = try await Samples.folder.value
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Two processes, because a tool that waits for its clock keeps no core busy.
            for part in 0..<2 {
                let names = lines.map { $0[0] }.enumerated().filter { $0.offset % 2 == part }.map(\.element)
                group.addTask {
                    let tiny = "\(samples)/tiny.txt"
                    let readings = try await Self.read([tiny] + names.map { "\(nasty.folder)/\($0)" })
                    try #require(readings.count == names.count + 1)
                    for reading in readings.dropFirst() { Self.check(reading, allowed, after: readings[0]) }
                }
            }
            try await group.waitForAll()
        }
        #expect(!FileManager.default.fileExists(atPath: "/tmp/slipped"))
    }

    /// Types that no tool reads.
    private static let plain = [".txt", ".csv", ".md", ".json"]

    private static func check(_ reading: Reading, _ allowed: [String: [String]], after tiny: Reading) {
        let (name, measured) = (reading.name, reading.measured)
        #expect(allowed[name]?.contains(reading.status) == true, "\(name) is \(reading.status)")
        // 20 s at most: a tool's clock is at 15 s, and what we do ourselves is measured as no other work can disturb it.
        let own = plain.contains { name.hasSuffix($0) } ? 20.0 : 5.0
        #expect(measured.cpuSeconds <= own, "\(name) took \(measured.cpuSeconds) s")
        #expect(measured.memoryKiB - tiny.measured.memoryKiB <= 64 << 10, "\(name): \(measured.memoryKiB) KiB")
        #expect(!reading.blocks.contains { $0.text.contains("root:") }, "\(name)")
        #expect(reading.blocks.isEmpty == (reading.status != "indexed"), "\(name)")
    }

    private static func read(_ files: [String]) async throws -> [Reading] {
        let log = FileManager.default.temporaryDirectory.appending(path: "nasty-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: log) }
        let arguments = ["extract", "--json", "--measure"] + files
        let process = try FleetProcess(arguments, ProcessInfo.processInfo.environment, log: log.path)
        // Some of the files are not read, as it should be.
        #expect(try await process.end(within: .seconds(600)) == 1)
        let lines = try Data(contentsOf: log).split(separator: UInt8(ascii: "\n")).filter {
            $0.first == UInt8(ascii: "{")
        }
        return try lines.map { try JSONDecoder().decode(Reading.self, from: Data($0)) }
    }
}
