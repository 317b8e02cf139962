/// What a compound file is, and whether it wants a password. catdoc and its kin would print noise instead of saying so.
enum LegacyOffice {
    enum Finding: Equatable {
        case readable, encrypted, other
    }

    /// An Office file of 2007 and later that has a password is packed into a compound file.
    static func isEncryptedPackage(_ file: CompoundFile) -> Bool {
        file.contains("EncryptedPackage") || file.contains("EncryptionInfo")
    }

    /// [MS-DOC] 2.5.2: the bit fEncrypted of FibBase.
    static func word(_ file: CompoundFile) -> Finding {
        guard let base = file.head(of: "WordDocument", count: 32), base.count == 32 else { return .other }
        return base.number(at: 10, bytes: 2) & 0x0100 == 0 ? .readable : .encrypted
    }

    /// [MS-XLS] 2.4.117: a record FilePass among the first of the workbook.
    static func excel(_ file: CompoundFile) -> Finding {
        let stream = file.head(of: "Workbook", count: 65_536) ?? file.head(of: "Book", count: 65_536)
        guard let stream, stream.count > 4 else { return .other }
        return records(of: stream).contains { $0.type == 0x2F } ? .encrypted : .readable
    }

    /// [MS-PPT] 2.3.2: the token of CurrentUserAtom.
    static func powerPoint(_ file: CompoundFile) -> Finding {
        guard file.contains("PowerPoint Document") else { return .other }
        let user = file.head(of: "Current User", count: 16) ?? []
        return user.number(at: 12, bytes: 4) == 0xF3D1_C4DF ? .encrypted : .readable
    }

    /// The names of a workbook's sheets in order ([MS-XLS] 2.4.28), where the file is Excel 97 or later.
    static func sheetNames(_ file: CompoundFile) -> [String] {
        guard let stream = file.head(of: "Workbook", count: 1 << 20) else { return [] }
        return records(of: stream).filter { $0.type == 0x85 }.compactMap { record in
            let body = Array(stream[record.body])
            guard body.count >= 8 else { return nil }
            let (count, isWide) = (Int(body[6]), body[7] & 1 == 1)
            let width = isWide ? 2 : 1
            guard 8 + count * width <= body.count else { return nil }
            let units = (0..<count).map { UInt16(body.number(at: 8 + width * $0, bytes: width)) }
            return String(decoding: units, as: UTF16.self)
        }
    }

    private struct Record {
        let type: Int
        let body: Range<Int>
    }

    /// Those of the first sub-stream, up to its end mark or the end of the bytes.
    private static func records(of stream: [UInt8]) -> [Record] {
        var (records, at): ([Record], Int) = ([], 0)
        while at + 4 <= stream.count {
            let (type, length) = (stream.number(at: at, bytes: 2), stream.number(at: at + 2, bytes: 2))
            guard type != 0x0A, at + 4 + length <= stream.count else { break }
            records.append(Record(type: type, body: (at + 4)..<(at + 4 + length)))
            at += 4 + length
        }
        return records
    }
}
