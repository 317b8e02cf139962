/// Does something several times at once.
///
/// - Parameter act: gets the number of its turn, from 0.
/// - Returns: what came of each, in the order of their ends.
func atOnce<Value: Sendable>(
    _ count: Int,
    _ act: @escaping @Sendable (Int) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: Value.self) { group in
        for turn in 0..<count {
            group.addTask { try await act(turn) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
    }
}
