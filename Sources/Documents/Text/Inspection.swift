import Domain

/// Looks at a file's first bytes and its directory before anything else reads it.
enum Inspection {
    /// - Returns: the file's status where it is settled already; nil where its text is worth a try.
    static func verdict(on file: any ByteSource, as kind: FileKind) -> TextStatus? {
        let head = file.bytes(at: 0, count: 1024)
        switch kind {
        case .pdf: return head.contains("%PDF-") ? nil : .broken
        case .png: return head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) ? .binary : .broken
        case .jpg: return head.starts(with: [0xFF, 0xD8, 0xFF]) ? .binary : .broken
        case .zip: return isZip(head) ? .binary : .broken
        case .rtf: return head.starts(with: Array("{\\rtf".utf8)) ? nil : .broken
        case .docx: return package(file, head, folder: "word/")
        case .xlsx: return package(file, head, folder: "xl/")
        case .pptx: return package(file, head, folder: "ppt/")
        case .odt: return openDocument(file, head, type: "text")
        case .ods: return openDocument(file, head, type: "spreadsheet")
        case .odp: return openDocument(file, head, type: "presentation")
        case .doc: return compound(file, LegacyOffice.word)
        case .xls: return compound(file, LegacyOffice.excel)
        case .ppt: return compound(file, LegacyOffice.powerPoint)
        case .html, .svg, .csv, .txt, .md, .json, .yaml:
            if head.isEmpty { return .empty }
            return isZip(head) || head.starts(with: Array("%PDF-".utf8)) || head.starts(with: CompoundFile.magic)
                ? .broken : nil
        }
    }

    /// An archive without entries begins with its end.
    private static func isZip(_ head: [UInt8]) -> Bool {
        head.starts(with: [0x50, 0x4B, 0x03, 0x04]) || head.starts(with: [0x50, 0x4B, 0x05, 0x06])
    }

    // MARK: Office

    /// ECMA-376 part 2: a zip with a list of its parts. With a password it is a compound file instead.
    private static func package(_ file: any ByteSource, _ head: [UInt8], folder: String) -> TextStatus? {
        if let locked = CompoundFile(file) { return LegacyOffice.isEncryptedPackage(locked) ? .encrypted : .broken }
        return archive(file, head) { $0.contains("[Content_Types].xml") && $0.contains(under: folder) }
    }

    /// OpenDocument 1.3 part 2, section 3: the entry `mimetype`, never compressed, says what it is.
    private static func openDocument(_ file: any ByteSource, _ head: [UInt8], type: String) -> TextStatus? {
        archive(file, head) { directory in
            guard directory.contains("content.xml") else { return false }
            guard let entry = directory.entries.first(where: { $0.name == "mimetype" }), entry.method == 0 else {
                return true
            }
            let header = file.bytes(at: entry.offset, count: 30)
            let begin = entry.offset + 30 + header.number(at: 26, bytes: 2) + header.number(at: 28, bytes: 2)
            let said = file.bytes(at: begin, count: min(entry.size, 256))
            return said.starts(with: Array("application/vnd.oasis.opendocument.\(type)".utf8))
        }
    }

    private static func archive(
        _ file: any ByteSource,
        _ head: [UInt8],
        holds: (ZipDirectory) -> Bool
    ) -> TextStatus? {
        guard isZip(head) else { return .broken }
        do {
            let directory = try ZipDirectory(file)
            try directory.check()
            return holds(directory) ? nil : .broken
        } catch {
            return switch error {
            case .broken: .broken
            case .tooLarge: .tooLarge
            case .encrypted: .encrypted
            }
        }
    }

    private static func compound(
        _ file: any ByteSource,
        _ look: (CompoundFile) -> LegacyOffice.Finding
    ) -> TextStatus? {
        guard let compound = CompoundFile(file) else { return .broken }
        if LegacyOffice.isEncryptedPackage(compound) { return .encrypted }
        return switch look(compound) {
        case .readable: nil
        case .encrypted: .encrypted
        case .other: .broken
        }
    }
}

extension [UInt8] {
    /// Whether the ASCII of `words` is somewhere in it.
    fileprivate func contains(_ words: String) -> Bool {
        let wanted = Array(words.utf8)
        guard count >= wanted.count else { return false }
        return (0...(count - wanted.count)).contains { self[$0...].starts(with: wanted) }
    }
}
