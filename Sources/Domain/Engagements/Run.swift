/// One execution of an engagement by a crew.
package struct Run: Sendable {
    package typealias ID = Domain.ID<Run>

    /// The strings are stored; callers see the same words.
    package enum Status: String, Codable, Sendable, CaseIterable {
        case running, paused, completed, failed
    }
}

/// A task of a run, in the ledger.
package enum RunTask {
    /// `waiting → ready → running → completed | failed | skipped` (engine 3.1). The strings are stored.
    package enum Status: String, Codable, Sendable, CaseIterable {
        case waiting, ready, running, completed, failed, skipped
    }
}

/// One document written by a crew. Writing again makes a new version; nothing is overwritten.
package struct Deliverable: Sendable {
    package typealias ID = Domain.ID<Deliverable>

    /// System files (`_run_report_…`) are for the record, not for the client's report.
    package static func isSystem(filename: String) -> Bool { filename.hasPrefix("_") }
}
