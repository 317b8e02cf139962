import CHiredis

/// Bytes to replies, by hiredis' reader. Belongs to one connection and is touched on its event loop alone.
///
/// Limits are the reader's (hiredis 0.14): RESP2, arrays nested up to 7 deep.
final class ReplyDecoder {
    /// What a piece of input came to: the replies it completed, and what made the reader stop, if anything did.
    struct Decoded {
        var replies: [RedisReply] = []
        var violation: String?
    }

    private let reader: UnsafeMutablePointer<redisReader>
    private let address: String

    init(address: String) {
        guard let reader = redisReaderCreate() else {
            preconditionFailure("hiredis could not make a reader: out of memory.")
        }
        self.reader = reader
        self.address = address
    }

    deinit { redisReaderFree(reader) }

    func decode(_ bytes: UnsafeRawBufferPointer) -> Decoded {
        var decoded = Decoded()
        var rest = bytes[...]
        while !rest.isEmpty, decoded.violation == nil {
            // The reader moves its rest to the front after every kilobyte: small pieces keep that cheap.
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(16_384))
            rest = rest.dropFirst(16_384)
            redisReaderFeed(reader, piece.baseAddress?.assumingMemoryBound(to: CChar.self), piece.count)
            readAll(into: &decoded)
        }
        return decoded
    }

    private func readAll(into decoded: inout Decoded) {
        while true {
            var object: UnsafeMutableRawPointer?
            guard redisReaderGetReply(reader, &object) == REDIS_OK else {
                decoded.violation = complaint
                return
            }
            guard let object else { return }
            decoded.replies.append(reply(object.assumingMemoryBound(to: redisReply.self)))
            freeReplyObject(object)
        }
    }

    // Safe: hiredis fills exactly the fields that belong to a reply's type; everything is copied before it is freed.
    private func reply(_ object: UnsafeMutablePointer<redisReply>) -> RedisReply {
        switch object.pointee.type {
        case REDIS_REPLY_INTEGER: .integer(Int(object.pointee.integer))
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: .string(Array(text(object)))
        case REDIS_REPLY_ERROR: .error(.server(String(decoding: text(object), as: UTF8.self), at: address))
        case REDIS_REPLY_ARRAY: .array(elements(object))
        default: .null
        }
    }

    private func text(_ object: UnsafeMutablePointer<redisReply>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: object.pointee.str, count: Int(object.pointee.len))
    }

    private func elements(_ object: UnsafeMutablePointer<redisReply>) -> [RedisReply] {
        UnsafeBufferPointer(start: object.pointee.element, count: Int(object.pointee.elements))
            .map { $0.map(reply) ?? .null }
    }

    private var complaint: String {
        withUnsafeBytes(of: &reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
