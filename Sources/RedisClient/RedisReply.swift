/// One reply of a Redis server (RESP2: https://redis.io/docs/latest/develop/reference/protocol-spec/).
package enum RedisReply: Sendable, Equatable {
    /// No value: a null bulk string or a null array.
    case null
    case integer(Int)
    /// A bulk string, or a status such as `OK`: any bytes, kept as they came.
    case string([UInt8])
    case array([RedisReply])
    /// An error within an array, as `EXEC` and scripts give. An error that is the whole reply is thrown instead.
    case error(RedisError)
}

extension RedisReply {
    /// The text of a string; nil for every other reply and for bytes that are not UTF-8.
    package var string: String? {
        guard case .string(let bytes) = self else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The bytes of a string; nil for every other reply.
    package var bytes: [UInt8]? { if case .string(let bytes) = self { bytes } else { nil } }

    /// The number of an integer, or of a string that is a decimal number; nil for every other reply.
    package var integer: Int? {
        switch self {
        case .integer(let value): value
        case .string: string.flatMap { Int($0) }
        case .null, .array, .error: nil
        }
    }

    /// The number of an integer or a string, as scores of sorted sets come: `1.5`, `inf`; nil for every other reply.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .string: string.flatMap { Double($0) }
        case .null, .array, .error: nil
        }
    }

    /// The elements of an array; nil for every other reply.
    package var array: [RedisReply]? { if case .array(let elements) = self { elements } else { nil } }

    package var isNull: Bool { self == .null }
}

/// What one command came to: its reply, or why there is none.
package typealias RedisOutcome = Result<RedisReply, RedisError>
