import Hummingbird
import NIOCore

/// The parts of a request's body, read as they come: never more than a piece of it is in memory.
///
/// For one reader at a time; an actor, because the store that writes a file reads it from here.
actor MultipartReader {
    private var body: RequestBody.AsyncIterator
    private var parser: MultipartParser
    private let limit: Int
    private var count = 0
    private let meter: BodyMeter

    /// The body is longer than the limit.
    struct TooLong: Error {}

    /// - Parameters:
    ///   - contentType: of the request.
    ///   - limit: bytes that are read at most.
    /// - Throws: ``MultipartFault`` where the type is another one, or names no boundary.
    init(_ body: RequestBody, contentType: String?, limit: Int, meter: BodyMeter) throws(MultipartFault) {
        let type = HeaderParameters(contentType ?? "")
        guard type.value == "multipart/form-data" else {
            throw MultipartFault(reason: "it must be multipart/form-data")
        }
        guard let boundary = type["boundary"], (1...70).contains(boundary.utf8.count) else {
            throw MultipartFault(reason: "its Content-Type names no boundary of 1 to 70 characters")
        }
        self.body = body.makeAsyncIterator()
        self.limit = limit
        self.meter = meter
        parser = MultipartParser(boundary: boundary)
    }

    /// The next part's headers, whatever was left of the part before; nil at the end of the form.
    func nextPart() async throws -> MultipartHeaders? {
        while true {
            switch try await next() {
            case .part(let headers): return headers
            case .data, .endOfPart: continue
            case .end:
                while try await pull() != nil {}
                return nil
            }
        }
    }

    /// More of the present part; nil at its end.
    func nextData() async throws -> ByteBuffer? {
        guard case .data(let buffer) = try await next() else { return nil }
        return buffer
    }

    /// The present part as text.
    ///
    /// - Parameter limit: in bytes.
    /// - Returns: nil where it is longer.
    func text(upTo limit: Int) async throws -> String? {
        var bytes = ByteBuffer()
        while let more = try await nextData() {
            guard bytes.readableBytes + more.readableBytes <= limit else { return nil }
            bytes.writeImmutableBuffer(more)
        }
        return String(buffer: bytes)
    }

    private func next() async throws -> MultipartEvent {
        while true {
            if let event = try parser.next() { return event }
            guard let piece = try await pull() else {
                throw MultipartFault(reason: "it ends without its closing boundary")
            }
            parser.feed(piece)
        }
    }

    private func pull() async throws -> ByteBuffer? {
        meter.waits()
        var taken = body
        defer { body = taken }
        let piece = try await taken.next(isolation: self)
        try Task.checkCancellation()
        count += piece?.readableBytes ?? 0
        meter.received(piece?.readableBytes ?? 0)
        guard count <= limit else { throw TooLong() }
        return piece
    }
}
