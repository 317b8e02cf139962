/// The directory of a zip archive (APPNOTE.TXT 6.3, sections 4.3.12 and 4.3.16), read without opening anything in it.
///
/// It is looked at before any tool sees the file: a directory that lies in its favour still meets the walls of the
/// sandbox, one that tells the truth about a bomb is refused at once.
package struct ZipDirectory: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package let name: String
        package let isEncrypted: Bool
        /// 0 is stored, 8 is deflated.
        package let method: Int
        package let compressedSize: Int
        package let size: Int
        /// Of its local header, from the beginning of the file.
        package let offset: Int
    }

    package let entries: [Entry]
    /// Where the directory begins, and the last entry's data must end.
    let start: Int

    /// Reads the directory.
    ///
    /// - Throws: ``ZipFault`` where there is none that can be trusted, or it is too long.
    package init(_ source: any ByteSource) throws(ZipFault) {
        let end = try Self.end(of: source)
        guard end.count <= ZipLimits.entries, end.length <= ZipLimits.directory else { throw .tooLarge }
        let directory = source.bytes(at: end.start, count: end.length)
        guard directory.count == end.length else { throw .broken }
        var (entries, at): ([Entry], Int) = ([], 0)
        entries.reserveCapacity(end.count)
        for _ in 0..<end.count {
            entries.append(try Self.entry(directory, &at))
        }
        self.entries = entries
        start = end.start
    }

    package func contains(_ name: String) -> Bool { entries.contains { $0.name == name } }

    package func contains(under folder: String) -> Bool { entries.contains { $0.name.hasPrefix(folder) } }

    // MARK: Reading

    private struct End {
        let count: Int
        let length: Int
        let start: Int
    }

    /// The record at the end of the file, which may be followed by a comment.
    private static func end(of source: any ByteSource) throws(ZipFault) -> End {
        let from = max(0, source.size - 22 - 65_535)
        let tail = source.bytes(at: from, count: source.size - from)
        guard tail.count >= 22 else { throw .broken }
        for at in stride(from: tail.count - 22, through: 0, by: -1) where tail[at] == UInt8(ascii: "P") {
            guard tail.number(at: at, bytes: 4) == 0x0605_4B50 else { continue }
            guard at + 22 + tail.number(at: at + 20, bytes: 2) <= tail.count else { continue }
            let count = tail.number(at: at + 10, bytes: 2)
            let (length, start) = (tail.number(at: at + 12, bytes: 4), tail.number(at: at + 16, bytes: 4))
            // The form for archives beyond 4 GiB or 65,535 entries.
            guard count != 0xFFFF, length != 0xFFFF_FFFF, start != 0xFFFF_FFFF else { throw .tooLarge }
            guard tail.number(at: at + 4, bytes: 4) == 0, start + length <= from + at else { throw .broken }
            return End(count: count, length: length, start: start)
        }
        throw .broken
    }

    private static func entry(_ directory: [UInt8], _ at: inout Int) throws(ZipFault) -> Entry {
        guard at + 46 <= directory.count, directory.number(at: at, bytes: 4) == 0x0201_4B50 else { throw .broken }
        func field(_ offset: Int, _ width: Int) -> Int { directory.number(at: at + offset, bytes: width) }
        let nameEnd = at + 46 + field(28, 2)
        let next = nameEnd + field(30, 2) + field(32, 2)
        guard next <= directory.count else { throw .broken }
        let entry = Entry(
            name: String(decoding: directory[(at + 46)..<nameEnd], as: UTF8.self),
            isEncrypted: field(8, 2) & 1 != 0,
            method: field(10, 2),
            compressedSize: field(20, 4),
            size: field(24, 4),
            offset: field(42, 4)
        )
        at = next
        return entry
    }
}

/// What is wrong with an archive.
package enum ZipFault: Error, Equatable {
    case broken, tooLarge, encrypted
}

/// What an office document may hold. Real ones are far below.
enum ZipLimits {
    static let entries = 10_000
    /// Bytes of the directory itself.
    static let directory = 4 << 20
    /// Bytes of one entry, inflated.
    static let entry = 100 << 20
    /// Bytes of all entries, inflated.
    static let total = 250 << 20
    /// Times that an entry may grow, once it is larger than ``ratioFrom``.
    static let ratio = 100
    static let ratioFrom = 1 << 20
}

extension ZipDirectory {
    /// Refuses bombs, passwords, and entries that lead out of the archive or lie on top of each other.
    package func check() throws(ZipFault) {
        if entries.contains(where: \.isEncrypted) { throw .encrypted }
        guard Set(entries.map(\.name)).count == entries.count else { throw .broken }
        for entry in entries { try Self.check(entry) }
        guard entries.reduce(0, { $0 + $1.size }) <= ZipLimits.total else { throw .tooLarge }
        try checkPlaces()
    }

    private static func check(_ entry: Entry) throws(ZipFault) {
        let name = entry.name
        guard !name.hasPrefix("/"), !name.contains("\\"), !name.contains("\0"), !name.isEmpty else { throw .broken }
        guard !name.split(separator: "/").contains("..") else { throw .broken }
        guard entry.method == 0 || entry.method == 8 else { throw .broken }
        guard entry.size <= ZipLimits.entry else { throw .tooLarge }
        guard entry.method == 8 || entry.size == entry.compressedSize else { throw .broken }
        let grows = entry.size > ZipLimits.ratio * max(1, entry.compressedSize)
        if grows, entry.size > ZipLimits.ratioFrom { throw .tooLarge }
    }

    /// One compressed body under a thousand names would pass every other check.
    private func checkPlaces() throws(ZipFault) {
        let inOrder = entries.sorted { $0.offset < $1.offset }
        for (index, entry) in inOrder.enumerated() {
            let next = index + 1 < inOrder.count ? inOrder[index + 1].offset : start
            guard entry.offset + 30 + entry.compressedSize <= next else { throw .broken }
        }
    }
}
