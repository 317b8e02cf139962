/// The container of Office files before 2007, and of encrypted ones after it ([MS-CFB] 2.1 to 2.6): streams by name.
package struct CompoundFile {
    private struct Stream {
        let start: Int
        let size: Int
    }

    static let magic: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]

    private let source: any ByteSource
    private let sectorSize: Int
    /// For each sector the next one of its stream.
    private var table: [UInt32] = []
    private var smallTable: [UInt32] = []
    private var streams: [String: Stream] = [:]
    /// Holds all streams below 4096 bytes.
    private var smallStreams = Stream(start: 0, size: 0)

    /// - Returns: nil where the file is none, or its tables are damaged. Never reads more than the tables say and the
    ///   file has: a circle in them ends with its first repetition.
    package init?(_ source: any ByteSource) {
        let header = source.bytes(at: 0, count: 512)
        let shift = header.number(at: 30, bytes: 2)
        guard header.count == 512, header.starts(with: Self.magic), shift == 9 || shift == 12 else { return nil }
        self.source = source
        sectorSize = 1 << shift
        readTable(header)
        smallTable = numbers(chain(from: header.number(at: 60, bytes: 4)))
        readDirectory(from: header.number(at: 48, bytes: 4))
        guard !streams.isEmpty else { return nil }
    }

    package func contains(_ name: String) -> Bool { streams[name] != nil }

    /// The first `count` bytes of a stream, fewer where it is shorter or damaged; nil where there is none of that name.
    package func head(of name: String, count: Int) -> [UInt8]? {
        guard let stream = streams[name] else { return nil }
        let wanted = min(count, stream.size)
        return stream.size < 4096 ? small(stream, wanted) : large(stream, wanted)
    }

    // MARK: Sectors

    private func sector(_ number: Int) -> [UInt8] { source.bytes(at: (number + 1) * sectorSize, count: sectorSize) }

    private func large(_ stream: Stream, _ wanted: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in chain(from: stream.start, limit: wanted / sectorSize + 1) { bytes += sector(number) }
        return Array(bytes.prefix(wanted))
    }

    private func small(_ stream: Stream, _ wanted: Int) -> [UInt8] {
        let all = large(smallStreams, min(smallStreams.size, 4 << 20))
        let steps = Self.chain(in: smallTable, from: stream.start, limit: wanted / 64 + 1)
        return Array(steps.flatMap { all.bytes(at: $0 * 64, count: 64) }.prefix(wanted))
    }

    private func chain(from start: Int, limit: Int = .max) -> [Int] { Self.chain(in: table, from: start, limit: limit) }

    private static func chain(in table: [UInt32], from start: Int, limit: Int) -> [Int] {
        var (numbers, next): ([Int], Int) = ([], start)
        // No chain is longer than its table: a longer one runs in a circle.
        while next < table.count, numbers.count < min(limit, table.count) {
            numbers.append(next)
            next = Int(table[next])
        }
        return numbers
    }

    private func numbers(_ sectors: [Int]) -> [UInt32] {
        sectors.flatMap { number in
            let bytes = sector(number)
            return stride(from: 0, to: bytes.count - 3, by: 4).map { UInt32(bytes.number(at: $0, bytes: 4)) }
        }
    }

    // MARK: Tables

    /// The sectors of the table are listed in the header, and from the 110th on in sectors of their own.
    private mutating func readTable(_ header: [UInt8]) {
        let inFile = source.size / sectorSize + 1
        var places = (0..<109).map { header.number(at: 76 + 4 * $0, bytes: 4) }
        var next = header.number(at: 68, bytes: 4)
        let perSector = sectorSize / 4 - 1
        while next < inFile, places.count <= inFile {
            let list = sector(next)
            places += (0..<perSector).map { list.number(at: 4 * $0, bytes: 4) }
            next = list.count == sectorSize ? list.number(at: 4 * perSector, bytes: 4) : inFile
        }
        let needed = inFile / (sectorSize / 4) + 1
        table = numbers(Array(places.filter { $0 < inFile }.prefix(needed)))
    }

    private mutating func readDirectory(from start: Int) {
        for number in chain(from: start, limit: 4096) {
            let bytes = sector(number)
            for at in stride(from: 0, to: bytes.count - 127, by: 128) {
                readEntry(Array(bytes[at..<(at + 128)]))
            }
        }
    }

    private mutating func readEntry(_ entry: [UInt8]) {
        let length = entry.number(at: 64, bytes: 2)
        guard length >= 2, length <= 64 else { return }
        let units = (0..<(length / 2 - 1)).map { UInt16(entry.number(at: 2 * $0, bytes: 2)) }
        let stream = Stream(start: entry.number(at: 116, bytes: 4), size: entry.number(at: 120, bytes: 4))
        switch entry[66] {
        case 2: streams[String(decoding: units, as: UTF16.self)] = stream
        case 5: smallStreams = stream
        default: break
        }
    }
}
