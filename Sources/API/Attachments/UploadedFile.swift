import Domain
import NIOCore

/// The bytes of an uploaded file on their way into the store. They end with an error where the file may not be kept.
struct UploadedFile: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let reader: MultipartReader
    let examination: FileExamination

    func makeAsyncIterator() -> Iterator { Iterator(reader: reader, examination: examination) }

    struct Iterator: AsyncIteratorProtocol {
        let reader: MultipartReader
        var examination: FileExamination

        mutating func next() async throws -> ByteBuffer? {
            guard let buffer = try await reader.nextData() else {
                try examination.finish()
                return nil
            }
            try examination.take(buffer)
            return buffer
        }
    }
}

/// Looks at a file as it goes by: its size, its beginning, its end (contract ).
struct FileExamination: Sendable {
    let type: FileType
    /// Bytes that the plan allows for one file.
    let limit: Int
    private var size = 0
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private var isJudged = false

    init(type: FileType, limit: Int) {
        self.type = type
        self.limit = limit
    }

    mutating func take(_ buffer: ByteBuffer) throws(APIError) {
        size += buffer.readableBytes
        guard size <= limit else { throw .fileTooLarge(limit) }
        if head.count < FileContent.headLength {
            head += buffer.readableBytesView.prefix(FileContent.headLength - head.count)
        }
        keepTail(buffer)
        // An Office file is judged by its end too; anything else as soon as its beginning is there.
        if !isJudged, head.count == FileContent.headLength, type.tailLength == 0 { try judge() }
    }

    mutating func finish() throws(APIError) {
        guard size > 0 else { throw .noFile }
        if !isJudged { try judge() }
    }

    private mutating func judge() throws(APIError) {
        isJudged = true
        guard let other = type.mismatch(head: head, tail: tail) else { return }
        throw .invalid("The file does not hold what its name says: it ends in .\(type.rawValue), but is \(other)")
    }

    private mutating func keepTail(_ buffer: ByteBuffer) {
        guard type.tailLength > 0 else { return }
        tail += buffer.readableBytesView.suffix(type.tailLength)
        if tail.count > 2 * type.tailLength { tail.removeFirst(tail.count - type.tailLength) }
    }
}

extension APIError {
    static let noFile = APIError.invalid("No file provided")
    static let noEngagement = APIError.notFound("Engagement not found")
    static let noAttachment = APIError.notFound("Attachment not found")
    static let storageFull = APIError.full("Storage limit exceeded for current plan")

    /// - Parameter limit: in bytes.
    static func fileTooLarge(_ limit: Int) -> APIError {
        .invalid("File exceeds size limit (\(limit >> 20) MB)")
    }
}
