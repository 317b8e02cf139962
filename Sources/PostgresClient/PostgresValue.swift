/// A Swift value that can be a parameter, in Postgres' text form.
package protocol PostgresEncodable: Sendable {
    /// The text form (PostgreSQL manual, chapter 8).
    var postgresText: String { get }
}

/// A Swift value that can be read from a column, in Postgres' text form.
package protocol PostgresDecodable: Sendable {
    /// - Parameter postgresText: the bytes of one cell; nil is SQL's NULL.
    /// - Returns: nil where the bytes are no such value.
    init?(postgresText: UnsafeBufferPointer<UInt8>?)
}

package typealias PostgresValue = PostgresEncodable & PostgresDecodable

extension String: PostgresValue {
    package var postgresText: String { self }

    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let postgresText else { return nil }
        self = String(decoding: postgresText, as: UTF8.self)
    }
}

extension FixedWidthInteger where Self: Sendable {
    fileprivate static func parse(_ bytes: UnsafeBufferPointer<UInt8>?) -> Self? {
        guard let bytes, let first = bytes.first else { return nil }
        let negative = first == UInt8(ascii: "-")
        // Negative numbers are summed up below zero, because the smallest one has no positive twin.
        var value: Self = 0
        for byte in bytes.dropFirst(negative ? 1 : 0) {
            guard byte &- 48 < 10 else { return nil }
            let digit = Self(byte &- 48)
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) =
                negative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            if overflow || carried { return nil }
            value = sum
        }
        return value
    }
}

extension Int: PostgresValue {
    package var postgresText: String { String(self) }
    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let value = Self.parse(postgresText) else { return nil }
        self = value
    }
}

extension Int64: PostgresValue {
    package var postgresText: String { String(self) }
    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let value = Self.parse(postgresText) else { return nil }
        self = value
    }
}

extension Double: PostgresValue {
    package var postgresText: String { description }
    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let text = String(postgresText: postgresText), let value = Double(text) else { return nil }
        self = value
    }
}

extension Bool: PostgresValue {
    package var postgresText: String { self ? "t" : "f" }
    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let first = postgresText?.first else { return nil }
        self = first == UInt8(ascii: "t")
    }
}

/// SQL's NULL is Swift's nil.
extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let postgresText else {
            self = .none
            return
        }
        guard let value = Wrapped(postgresText: postgresText) else { return nil }
        self = .some(value)
    }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue == String {
    package var postgresText: String { rawValue }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue == String {
    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let text = String(postgresText: postgresText) else { return nil }
        self.init(rawValue: text)
    }
}

/// Bytes for a `bytea` column, in its hex form.
package struct PostgresBytes: PostgresValue, Hashable {
    package let bytes: [UInt8]

    package init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    private static let digits = Array("0123456789abcdef".utf8)

    package var postgresText: String {
        var text: [UInt8] = [UInt8(ascii: "\\"), UInt8(ascii: "x")]
        text.reserveCapacity(bytes.count * 2 + 2)
        for byte in bytes {
            text.append(Self.digits[Int(byte >> 4)])
            text.append(Self.digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    package init?(postgresText: UnsafeBufferPointer<UInt8>?) {
        guard let text = postgresText, text.count >= 2, text.count % 2 == 0, text[1] == UInt8(ascii: "x") else {
            return nil
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2 - 1)
        for index in stride(from: 2, to: text.count, by: 2) {
            guard let high = Self.value(text[index]), let low = Self.value(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
