import Foundation
import Jobs
import Testing

@Suite("The roll call of jobs")
struct JobKindTests {
    @Test("Each case leads to the job that claims it", arguments: JobKind.allCases)
    func pairsUp(kind: JobKind) {
        #expect(kind.job.kind == kind)
    }

    @Test("A payload that was stored long ago still decodes", arguments: JobKind.allCases)
    func golden(kind: JobKind) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/payloads/\(kind.rawValue).json")
        let payload = try String(contentsOf: file, encoding: .utf8)
        _ = try kind.job.decode(payload)
    }
}
