package import Domain
import PostgresClient

// How the words of the domain travel to Postgres and back.

extension ID: PostgresEncodable, PostgresDecodable {
    package var postgresText: String { rawValue }

    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let text = String(postgresText: postgresText) else { return nil }
        self.init(text)
    }
}

extension NanoUSD: PostgresEncodable, PostgresDecodable {
    package var postgresText: String { String(nanos) }

    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let nanos = Int64(postgresText: postgresText) else { return nil }
        self.init(nanos: nanos)
    }
}

extension JSON: PostgresEncodable, PostgresDecodable {
    package var postgresText: String { text }

    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let postgresText, let value = try? JSON(utf8: postgresText) else { return nil }
        self = value
    }
}

/// Read from `timestamptz` columns by asking Postgres for microseconds: `(extract(epoch FROM t) * 1000000)::bigint`.
extension Timestamp: PostgresEncodable, PostgresDecodable {
    package var postgresText: String { String(microseconds) }

    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let value = Int64(postgresText: postgresText) else { return nil }
        self.init(microseconds: value)
    }
}

extension Engagement.Status: PostgresEncodable, PostgresDecodable {}
extension Run.Status: PostgresEncodable, PostgresDecodable {}
extension RunTask.Status: PostgresEncodable, PostgresDecodable {}
extension Role: PostgresEncodable, PostgresDecodable {}
extension Plan: PostgresEncodable, PostgresDecodable {}
extension Scope: PostgresEncodable, PostgresDecodable {}
extension KeyMode: PostgresEncodable, PostgresDecodable {}
