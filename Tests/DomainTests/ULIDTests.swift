import Domain
import Testing

@Suite("ULIDs")
struct ULIDTests {
    @Test("The specification's example and both ends, in lower case")
    func text() {
        // 01ARYZ6S41…: the moment 1469918176385 of the specification's own example.
        #expect(
            ULID.text(milliseconds: 1_469_918_176_385, random: 0) == "01aryz6s41" + String(repeating: "0", count: 16)
        )
        #expect(ULID.text(milliseconds: 0, random: 0) == String(repeating: "0", count: 26))
        #expect(
            ULID.text(milliseconds: 1 << 48 - 1, random: 1 << 80 - 1) == "7" + String(repeating: "z", count: 25)
        )
    }

    @Test("New ones differ, have 26 characters of the alphabet, and begin with the moment they were made")
    func make() {
        let made = (0..<1000).map { _ in ULID.make() }
        #expect(Set(made).count == 1000)
        #expect(made.allSatisfy { $0.wholeMatch(of: /0[0-9a-hjkmnp-tv-z]{25}/) != nil })
        let moments = made.map { $0.prefix(10) }
        #expect(moments == moments.sorted())
    }

    @Test("Tasks and submissions say what they are")
    func prefixes() {
        #expect(CollectionTask.newID().rawValue.hasPrefix("tsk_"))
        #expect(Submission.newID().rawValue.hasPrefix("sub_"))
    }
}
