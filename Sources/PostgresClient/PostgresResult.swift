private import CLibPQ

/// What one statement returned: its rows, read cell by cell where they lie in libpq's memory.
package final class PostgresResult: @unchecked Sendable {
    // Safe: a PGresult never changes once PQgetResult has returned it, and only deinit frees it.
    private let handle: OpaquePointer
    package let count: Int

    init(_ handle: OpaquePointer) {
        self.handle = handle
        count = Int(PQntuples(handle))
    }

    deinit { PQclear(handle) }

    /// Rows that an INSERT, UPDATE or DELETE changed, or a SELECT returned.
    package var affected: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    /// The command tag's first word: `COMMIT`, `UPDATE` …
    var command: String { String(cString: PQcmdStatus(handle)).split(separator: " ").first.map(String.init) ?? "" }

    package var first: Row? { count > 0 ? Row(result: self, index: 0) : nil }

    func cell(_ row: Int, _ column: Int) -> UnsafeBufferPointer<UInt8>? {
        let row = Int32(row)
        let column = Int32(column)
        guard PQgetisnull(handle, row, column) == 0, let value = PQgetvalue(handle, row, column) else { return nil }
        let length = Int(PQgetlength(handle, row, column))
        return UnsafeBufferPointer(start: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self), count: length)
    }

    package var columnCount: Int { Int(PQnfields(handle)) }

    func column(_ name: String) -> Int? {
        let index = PQfnumber(handle, name)
        return index < 0 ? nil : Int(index)
    }

    func name(of column: Int) -> String {
        PQfname(handle, Int32(column)).map { String(cString: $0) } ?? "?"
    }
}

extension PostgresResult: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }
    package subscript(position: Int) -> Row { Row(result: self, index: position) }
}

/// One row. Cheap to pass on: it points into its result.
package struct Row: Sendable {
    let result: PostgresResult
    let index: Int

    /// Reads the first columns in order, with their types.
    ///
    /// ```swift
    /// let (id, name) = try row.decode(Int.self, String?.self)
    /// ```
    /// - Throws: ``PostgresError/Code/unexpectedResult`` where a column is missing or of another type.
    package func decode<each Value: PostgresDecodable>(
        _ types: repeat (each Value).Type
    ) throws(PostgresError) -> (repeat each Value) {
        var column = 0
        return (repeat try next((each Value).self, &column))
    }

    /// Reads one column by its name.
    ///
    /// - Throws: ``PostgresError/Code/unexpectedResult`` where the column is missing or of another type.
    package func get<Value: PostgresDecodable>(
        _ column: String,
        as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let position = result.column(column) else {
            throw PostgresError(.unexpectedResult, "the result has no column \(column)")
        }
        return try read(type, position)
    }

    private func next<Value: PostgresDecodable>(
        _ type: Value.Type,
        _ column: inout Int
    ) throws(PostgresError) -> Value {
        defer { column += 1 }
        guard column < result.columnCount else {
            throw PostgresError(.unexpectedResult, "column \(column + 1) is missing")
        }
        return try read(type, column)
    }

    private func read<Value: PostgresDecodable>(
        _ type: Value.Type,
        _ column: Int
    ) throws(PostgresError) -> Value {
        guard let value = Value(postgresText: result.cell(index, column)) else {
            throw PostgresError(.unexpectedResult, "column \(result.name(of: column)) is not a \(type)")
        }
        return value
    }
}
