import Hummingbird
import NIOCore

/// A request's body as the bytes of an object.
struct RawBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    private let reader: BodyReader

    init(_ reader: BodyReader) {
        self.reader = reader
    }

    func makeAsyncIterator() -> Iterator { Iterator(reader: reader) }

    struct Iterator: AsyncIteratorProtocol {
        let reader: BodyReader

        mutating func next() async throws -> ByteBuffer? { try await reader.next() }
    }
}

/// Reads a body that has said how long it is. An actor, because the store that writes it reads it from here.
actor BodyReader {
    private var body: RequestBody.AsyncIterator
    private var missing: Int
    private let meter: BodyMeter

    /// - Parameter length: bytes that must come.
    init(_ body: RequestBody, length: Int, meter: BodyMeter) {
        self.body = body.makeAsyncIterator()
        missing = length
        self.meter = meter
    }

    /// - Throws: 400 where the body ends early: its connection broke.
    func next() async throws -> ByteBuffer? {
        meter.waits()
        var taken = body
        defer { body = taken }
        let piece = try await taken.next(isolation: self)
        try Task.checkCancellation()
        meter.received(piece?.readableBytes ?? 0)
        missing -= piece?.readableBytes ?? 0
        guard piece != nil || missing == 0 else {
            throw APIError.invalid("The body is shorter than its Content-Length")
        }
        return piece
    }
}
