/// Which statements one connection has prepared, by their text: parsing and planning are paid once, not at every use.
///
/// Only for a connection of our own to the server. Behind a pooler in transaction mode the next statement may reach another
/// server, which knows none of the names.
struct PreparedStatements {
    /// How one statement is sent.
    enum Use: Equatable {
        case unnamed
        /// Parse under this name, then execute it.
        case prepare(String)
        case execute(String)
    }

    /// Statements kept at most; programs have fewer, and a connection must not fill the server's memory.
    static let capacity = 256

    private var names: [String: String] = [:]
    private var seen: Set<String> = []
    private var last = 0

    /// A statement is prepared at its second use: many are used once. One without parameters is cheap, or a migration.
    mutating func use(of statement: SQL) -> Use {
        guard !statement.parameters.isEmpty else { return .unnamed }
        if let name = names[statement.text] { return .execute(name) }
        guard names.count < Self.capacity else { return .unnamed }
        guard seen.remove(statement.text) != nil else {
            if seen.count >= Self.capacity { seen = [] }
            seen.insert(statement.text)
            return .unnamed
        }
        last += 1
        let name = "s\(last)"
        names[statement.text] = name
        return .prepare(name)
    }

    /// The server never saw the preparation, or refused it. Its name is not used again.
    mutating func forget(_ text: String) {
        names[text] = nil
    }
}
