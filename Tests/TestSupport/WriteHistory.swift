import Synchronization

/// What a writer knows for sure of the rows that it makes and deletes, so that a reader beside it can be judged.
package final class WriteHistory: Sendable {
    /// As of one moment.
    package struct State: Sendable {
        package var created: Set<String> = []
        package var deleting: Set<String> = []
        package var deleted: Set<String> = []
        package var isOver = false
    }

    private let state = Mutex(State())

    package init() {}

    package var now: State { state.withLock { $0 } }
    package func note(_ change: @Sendable (inout State) -> Void) { state.withLock { change(&$0) } }

    /// Whether a list may be what was read between two moments: nothing of it had been deleted before, and everything is
    /// there that had been created and was still meant to stay.
    package static func allows(_ seen: Set<String>, between before: State, and after: State) -> Bool {
        seen.isDisjoint(with: before.deleted) && before.created.subtracting(after.deleting).isSubset(of: seen)
    }
}
