import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1
import Stores
import TestSupport
import Testing

/// Both stores keep the same promises.
@Suite("Blob stores")
struct BlobStoreTests {
    enum Kind: String, CaseIterable, Sendable {
        case local, s3

        /// The S3 server is a tool of its own: without it these cases do not run, and the suite below says so.
        static let here = allCases.filter { $0 == .local || S3Server.isInstalled }

        func store(partSize: Int = 5 << 20) async throws -> any BlobStore {
            switch self {
            case .local: LocalBlobs(folder: try await Self.folder() + "/blobs")
            case .s3: try await S3Server.shared().blobs(partSize: partSize)
            }
        }

        static func folder() async throws -> String {
            try await TestStack.shared().folder + "/blobs-\(UInt32.random(in: 0 ... .max))"
        }
    }

    /// Pieces of bytes that can be told apart, and an error at their end if one is wanted.
    struct Pieces: AsyncSequence, Sendable {
        typealias Element = ByteBuffer
        let sizes: [Int]
        var fails = false

        struct Broken: Error {}

        struct AsyncIterator: AsyncIteratorProtocol {
            let pieces: Pieces
            var index = 0
            var offset = 0

            mutating func next() async throws -> ByteBuffer? {
                guard index < pieces.sizes.count else {
                    if pieces.fails { throw Broken() }
                    return nil
                }
                defer { index += 1 }
                let bytes = (0..<pieces.sizes[index]).map { UInt8(truncatingIfNeeded: ($0 + offset) % 251) }
                offset += bytes.count
                return ByteBuffer(bytes: bytes)
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: self) }
        var bytes: [UInt8] { (0..<sizes.reduce(0, +)).map { UInt8(truncatingIfNeeded: $0 % 251) } }
    }

    private func all(_ reading: BlobReading) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await part in reading.parts { bytes += part.readableBytesView }
        return bytes
    }

    @Test("What was put is read, whole and in parts, and its digest is right", arguments: Kind.here)
    func roundTrip(kind: Kind) async throws {
        let store = try await kind.store()
        let pieces = Pieces(sizes: [1, 70_000, 0, 300_000])
        let key = BlobKey.make(.attachments)
        let digest = try await store.put(pieces, as: key)
        #expect(digest.size == 370_001)
        #expect(S3Signature.hash(pieces.bytes) == digest.sha256.hexadecimal)
        let whole = try await store.read(key, range: nil)
        #expect(whole.size == 370_001)
        #expect(try await all(whole) == pieces.bytes)
        for range in [0..<1, 69_999..<70_002, 370_000..<370_001, 100_000..<300_000] {
            let part = try await store.read(key, range: range)
            #expect(part.size == 370_001)
            #expect(try await all(part) == Array(pieces.bytes[range]), "\(range)")
        }
        #expect(try await all(store.read(key, range: 370_000..<999_999)).count == 1)
        #expect(try await all(store.read(key, range: 400_000..<400_001)).isEmpty)
        let copied = try await store.withFile(key) { path in try Data(contentsOf: URL(filePath: path)).count }
        #expect(copied == 370_001)
    }

    @Test("Objects of one part, a part and a byte, several parts", arguments: Kind.here)
    func parts(kind: Kind) async throws {
        let store = try await kind.store()
        for size in [5 << 20, (5 << 20) + 1, 11 << 20] {
            let key = BlobKey.make(.submissions)
            let pieces = Pieces(sizes: Array(repeating: 65_536, count: size / 65_536) + [size % 65_536])
            #expect(try await store.put(pieces, as: key).size == size)
            let reading = try await store.read(key, range: (5 << 20) - 3..<(5 << 20) + 1)
            #expect(try await all(reading) == Array(pieces.bytes[((5 << 20) - 3)...].prefix(4)))
            try await store.remove(key)
        }
    }

    @Test("A-10: a write that breaks leaves nothing, in the first part and in the third", arguments: Kind.here)
    func broken(kind: Kind) async throws {
        let store = try await kind.store()
        for count in [1, 190] {
            let key = BlobKey.make(.attachments)
            await #expect(throws: Pieces.Broken.self) {
                try await store.put(Pieces(sizes: Array(repeating: 65_536, count: count), fails: true), as: key)
            }
            await #expect(throws: BlobError.missing) { try await store.read(key, range: nil) }
        }
    }

    @Test("A cancelled write leaves nothing", arguments: Kind.here)
    func cancelled(kind: Kind) async throws {
        let store = try await kind.store()
        let key = BlobKey.make(.attachments)
        let (stream, feed) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
        // Cancelled below, in the middle of its write.
        let writing = Task { try await store.put(stream, as: key) }
        for _ in 0..<100 { feed.yield(ByteBuffer(repeating: 7, count: 65_536)) }
        writing.cancel()
        await #expect(throws: (any Error).self) { _ = try await writing.value }
        await #expect(throws: BlobError.missing) { try await store.read(key, range: nil) }
    }

    @Test("Missing objects are missing, also twice removed ones", arguments: Kind.here)
    func missing(kind: Kind) async throws {
        let store = try await kind.store()
        let key = BlobKey.make(.attachments)
        await #expect(throws: BlobError.missing) { try await store.read(key, range: nil) }
        await #expect(throws: BlobError.missing) { try await store.withFile(key) { _ in } }
        _ = try await store.put(Pieces(sizes: [10]), as: key)
        try await store.remove(key)
        try await store.remove(key)
        await #expect(throws: BlobError.missing) { try await store.read(key, range: 0..<1) }
    }

    @Test("Nothing but a key reaches the store", arguments: Kind.here)
    func keys(kind: Kind) async throws {
        let store = try await kind.store()
        for key in ["../etc/passwd", "/etc/passwd", "attachments/../x", "attachments", "a//b", "a/b/c/d", ""] {
            await #expect(throws: BlobError.missing, "\(key)") { try await store.put(Pieces(sizes: [1]), as: key) }
        }
        for _ in 0..<100 { #expect(BlobKey.isKey(BlobKey.make(.attachments))) }
    }

    // MARK: The folder

    @Test("A-10: bytes are under a temporary name until they are whole, and the folder is left clean")
    func temporary() async throws {
        let folder = try await Kind.folder()
        let store = LocalBlobs(folder: folder)
        let key = BlobKey.make(.attachments)
        let (stream, feed) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
        async let writing = store.put(stream, as: key)
        feed.yield(ByteBuffer(string: "half"))
        try await eventually(within: .seconds(5), "the half to be written") {
            (try? Data(contentsOf: URL(filePath: "\(folder)/\(key).part")))?.count == 4
        }
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/\(key)"))
        feed.yield(ByteBuffer(string: " done"))
        feed.finish()
        #expect(try await writing.size == 9)
        #expect(FileManager.default.fileExists(atPath: "\(folder)/\(key)"))
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/\(key).part"))
        try Data("left by a crash".utf8).write(to: URL(filePath: "\(folder)/\(key).part"))
        try await store.remove(key)
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            $0.contains(".") || $0.count > 20
        }
        #expect(left.isEmpty, "\(left)")
    }

    @Test("A full disk is said so, and leaves nothing", .enabled(if: getuid() == 0, "mounting a small disk takes root"))
    func full() async throws {
        let folder = try await Kind.folder()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let mount = Process()
        mount.executableURL = URL(filePath: "/bin/mount")
        mount.arguments = ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
        try mount.run()
        mount.waitUntilExit()
        try #require(mount.terminationStatus == 0)
        defer { umount(folder) }
        let key = BlobKey.make(.attachments)
        do {
            _ = try await LocalBlobs(folder: folder).put(Pieces(sizes: [100_000, 100_000, 100_000]), as: key)
            Issue.record("it was written")
        } catch BlobError.unavailable(let reason) {
            #expect(reason.contains("full"))
        }
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.count > 20 }
        #expect(left.isEmpty, "\(left)")
    }

    @Test("Without a store everything says what to set")
    func absent() async throws {
        await #expect(throws: BlobError.unavailable("GC_STORAGE_URL is not set; see docs/attachments.md")) {
            try await AbsentBlobs().read("attachments/a", range: nil)
        }
    }
}

/// What only a real S3 server can say.
@Suite("S3", .enabled(if: S3Server.isInstalled, "SeaweedFS is not installed: run scripts/setup.sh with a network"))
struct S3Tests {
    @Test("A wrong secret is refused, and neither it nor the server is named")
    func wrongSecret() async throws {
        let store = try await S3Server.shared().blobs(secretKey: "wrong")
        do {
            try await store.check()
            Issue.record("it was let in")
        } catch let error as BlobError {
            #expect(error.description.contains("403"))
            for secret in ["wrong", "127.0.0.1", S3Server.accessKey] {
                #expect(!error.description.contains(secret), "\(error)")
            }
        }
        try await S3Server.shared().blobs().check()
    }

    @Test("A server that is away is unavailable, and that is said without its address")
    func away() async throws {
        let location = try #require(S3Location("s3://files?endpoint=http://127.0.0.1:1"))
        let store = S3Blobs(location, accessKey: "a", secretKey: "b")
        do {
            try await store.check()
            Issue.record("it answered")
        } catch BlobError.unavailable(let reason) {
            #expect(!reason.contains("127.0.0.1"))
        }
    }
}
