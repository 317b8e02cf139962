import Glibc
import NIOCore

/// What a `multipart/form-data` body says, piece by piece.
enum MultipartEvent: Sendable, Equatable {
    case part(MultipartHeaders)
    /// Some of the part's bytes, never none.
    case data(ByteBuffer)
    case endOfPart
    /// The closing boundary; what follows it has no meaning.
    case end
}

/// The body is not what its type says.
struct MultipartFault: Error, Equatable {
    let reason: String
}

/// Reads `multipart/form-data` (RFC 7578, RFC 2046 section 5.1) from pieces that may be cut anywhere. It keeps the headers of
/// one part, or as many bytes as a boundary has, and passes everything else on.
struct MultipartParser: Sendable {
    private enum State {
        case preamble
        /// Behind a boundary: two dashes, or blanks and a line break.
        case boundary
        case headers
        /// The line break that ends the headers is still there: it may belong to the next boundary.
        case bodyStart
        case body
        case over
    }

    private var state = State.preamble
    private var pending: ByteBuffer
    /// `\r\n--boundary`
    private let delimiter: [UInt8]

    /// Bytes of one part's headers.
    private static let headerLimit = 8192
    /// Blanks behind a boundary.
    private static let paddingLimit = 256

    /// - Parameter boundary: of the Content-Type, without its dashes.
    init(boundary: String) {
        delimiter = Array("\r\n--\(boundary)".utf8)
        // The first boundary may be the very first bytes, as if a line had ended before.
        pending = ByteBuffer(string: "\r\n")
    }

    mutating func feed(_ piece: ByteBuffer) {
        var piece = piece
        pending.discardReadBytes()
        pending.writeBuffer(&piece)
    }

    /// - Returns: nil when it needs more bytes.
    mutating func next() throws(MultipartFault) -> MultipartEvent? {
        while true {
            switch state {
            case .preamble:
                guard skipToDelimiter() else { return nil }
            case .boundary:
                guard let event = try afterBoundary() else { return nil }
                if case .end = event { return .end }
            case .headers:
                return try headers()
            case .bodyStart, .body:
                return data()
            case .over:
                pending.clear()
                return nil
            }
        }
    }

    // MARK: States

    private mutating func skipToDelimiter() -> Bool {
        let (length, isFound) = upToDelimiter()
        pending.moveReaderIndex(forwardBy: isFound ? length + delimiter.count : length)
        if isFound { state = .boundary }
        return isFound
    }

    /// - Returns: `.end`, or `.endOfPart` where another part follows; nil when it needs more bytes.
    private mutating func afterBoundary() throws(MultipartFault) -> MultipartEvent? {
        let view = pending.readableBytesView
        guard view.count >= 2 else { return nil }
        if view.starts(with: Array("--".utf8)) {
            state = .over
            return .end
        }
        let blanks = view.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.count
        guard blanks <= Self.paddingLimit else {
            throw MultipartFault(reason: "a boundary is followed by too many blanks")
        }
        guard view.count >= blanks + 2 else { return nil }
        guard view.dropFirst(blanks).starts(with: Array("\r\n".utf8)) else {
            throw MultipartFault(reason: "a boundary does not end its line")
        }
        // The line break stays: with it, even no headers at all end in two line breaks.
        pending.moveReaderIndex(forwardBy: blanks)
        state = .headers
        return .endOfPart
    }

    private mutating func headers() throws(MultipartFault) -> MultipartEvent? {
        let (length, isFound) = Self.find(Array("\r\n\r\n".utf8), in: pending)
        guard length <= Self.headerLimit else { throw MultipartFault(reason: "a part's headers are too long") }
        guard isFound, let text = pending.readString(length: length) else { return nil }
        pending.moveReaderIndex(forwardBy: 2)
        state = .bodyStart
        return .part(try MultipartHeaders(text))
    }

    private mutating func data() -> MultipartEvent? {
        let lineBreak = state == .bodyStart ? 2 : 0
        let (length, isFound) = upToDelimiter()
        if length > lineBreak {
            state = .body
            pending.moveReaderIndex(forwardBy: lineBreak)
            return pending.readSlice(length: length - lineBreak).map(MultipartEvent.data)
        }
        guard isFound else { return nil }
        pending.moveReaderIndex(forwardBy: length + delimiter.count)
        state = .boundary
        return .endOfPart
    }

    // MARK: Looking for bytes

    /// How many bytes are no part of a delimiter for certain, and whether one follows them.
    private func upToDelimiter() -> (length: Int, isFound: Bool) {
        Self.find(delimiter, in: pending)
    }

    /// - Parameter pattern: begins with a carriage return: only those are looked at closely.
    /// - Returns: where it begins, or where what is there so far could begin it.
    private static func find(_ pattern: [UInt8], in buffer: ByteBuffer) -> (length: Int, isFound: Bool) {
        buffer.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return (0, false) }
            var from = 0
            while let start = memchr(base + from, Int32(pattern[0]), bytes.count - from).map({ base.distance(to: $0) })
            {
                let candidate = bytes[start...].prefix(pattern.count)
                if pattern.starts(with: candidate) { return (start, candidate.count == pattern.count) }
                from = start + 1
            }
            return (bytes.count, false)
        }
    }
}
