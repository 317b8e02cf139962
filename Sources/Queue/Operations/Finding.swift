/// One thing that the doctor looked at.
package struct Finding: Sendable, Equatable {
    package enum Level: String, Sendable, CaseIterable {
        case ok, warn, bad
    }

    package let level: Level
    /// A short name that stays the same from release to release, for programs.
    package let check: String
    package let what: String
    /// Why it matters; empty when all is well.
    package let why: String
    /// What to do; empty when all is well.
    package let remedy: String

    /// All is well; said all the same, so that a reader sees what was looked at.
    package static func ok(_ check: String, _ what: String) -> Finding {
        Finding(level: .ok, check: check, what: what, why: "", remedy: "")
    }

    /// A person should look at it; nothing is lost and work goes on.
    package static func warn(_ check: String, _ what: String, why: String, remedy: String) -> Finding {
        Finding(level: .warn, check: check, what: what, why: why, remedy: remedy)
    }

    /// It loses data, or stops work.
    package static func bad(_ check: String, _ what: String, why: String, remedy: String) -> Finding {
        Finding(level: .bad, check: check, what: what, why: why, remedy: remedy)
    }
}
