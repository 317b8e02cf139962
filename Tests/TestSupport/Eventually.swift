/// What was waited for and did not come.
package struct NeverHappened: Error, CustomStringConvertible {
    /// The sentence that the failed test shows.
    package let description: String

    /// For other waits that fail in the same way.
    package init(description: String) {
        self.description = description
    }
}

/// Waits until `condition` holds, instead of sleeping for as long as it usually takes.
///
/// `what` completes the sentence "waited in vain for …"; `condition` is looked at every `poll`, and once more at the end.
/// An error that it throws ends the wait.
/// - Throws: ``NeverHappened`` after `limit`, with place and `what`.
package func eventually(
    within limit: Duration,
    _ what: String,
    poll: Duration = .milliseconds(10),
    file: StaticString = #fileID,
    line: UInt = #line,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while true {
        if try await condition() { return }
        guard clock.now < deadline else {
            throw NeverHappened(description: "\(file):\(line): waited \(limit) in vain for \(what)")
        }
        try await Task.sleep(for: poll)
    }
}
