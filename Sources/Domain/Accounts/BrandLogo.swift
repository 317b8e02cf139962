/// A tenant's logo: a picture that was looked at before it was taken.
package struct BrandLogo: Sendable, Hashable {
    /// The strings are stored.
    package enum Kind: String, Sendable, CaseIterable {
        case png, jpeg
    }

    package let kind: Kind
    package let bytes: [UInt8]

    /// Bytes at most.
    package static let sizeLimit = 1 << 20
    /// Pixels a side at most: a small file can hold a picture that fills the memory.
    package static let sideLimit = 4_000

    /// Checks size, kind and frame. Whether every pixel can be read is seen when it is drawn.
    ///
    /// - Throws: ``BrandFault``.
    package init(checking bytes: [UInt8]) throws(BrandFault) {
        guard bytes.count <= Self.sizeLimit else { throw .tooLarge(bytes: bytes.count) }
        let size: (width: Int, height: Int)?
        if bytes.starts(with: PNGFrame.signature) {
            kind = .png
            size = PNGFrame.size(of: bytes)
        } else if bytes.starts(with: JPEGFrame.signature) {
            kind = .jpeg
            size = JPEGFrame.size(of: bytes)
        } else {
            throw Self.isVector(bytes) ? BrandFault.vector : BrandFault.noImage
        }
        guard let size, size.width > 0, size.height > 0 else { throw .damaged }
        guard max(size.width, size.height) <= Self.sideLimit else {
            throw .tooManyPixels(width: size.width, height: size.height)
        }
        self.bytes = bytes
    }

    /// What was checked when it was stored.
    package init(stored bytes: [UInt8], kind: Kind) {
        self.bytes = bytes
        self.kind = kind
    }

    private static func isVector(_ bytes: [UInt8]) -> Bool {
        String(decoding: bytes.prefix(4_096), as: UTF8.self).lowercased().contains("<svg")
    }
}

/// PNG, third edition, section 5: a signature, then chunks of length, type, data and check sum, IHDR first and IEND last.
private enum PNGFrame {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Nil where the chunks do not fill the file.
    static func size(of bytes: [UInt8]) -> (width: Int, height: Int)? {
        var place = signature.count
        var size: (width: Int, height: Int)?
        while place + 12 <= bytes.count {
            let length = bytes.number(at: place, bytes: 4)
            let type = bytes[(place + 4)..<(place + 8)]
            guard length <= bytes.count - place - 12 else { return nil }
            if size == nil {
                guard type.elementsEqual("IHDR".utf8), length == 13 else { return nil }
                size = (bytes.number(at: place + 8, bytes: 4), bytes.number(at: place + 12, bytes: 4))
            }
            place += length + 12
            if type.elementsEqual("IEND".utf8) { return place == bytes.count ? size : nil }
        }
        return nil
    }
}

/// ITU-T T.81, annex B: markers with lengths up to the frame header (SOF), and an end of image at the end.
private enum JPEGFrame {
    static let signature: [UInt8] = [0xFF, 0xD8, 0xFF]
    private static let end: [UInt8] = [0xFF, 0xD9]
    /// SOF markers; C4, C8 and CC in their row are others.
    private static let frames: Set<UInt8> = Set(0xC0...0xCF).subtracting([0xC4, 0xC8, 0xCC])

    static func size(of bytes: [UInt8]) -> (width: Int, height: Int)? {
        guard bytes.suffix(2).elementsEqual(end) else { return nil }
        var place = 2
        while place + 9 <= bytes.count, bytes[place] == 0xFF {
            let marker = bytes[place + 1]
            if marker == 0xFF {
                place += 1
                continue
            }
            if frames.contains(marker) {
                return (bytes.number(at: place + 7, bytes: 2), bytes.number(at: place + 5, bytes: 2))
            }
            // A scan or the end before any frame.
            guard marker != 0xDA, marker != 0xD9 else { return nil }
            place += 2 + max(2, bytes.number(at: place + 2, bytes: 2))
        }
        return nil
    }
}

extension [UInt8] {
    /// Most significant byte first. The caller has made sure that they are there.
    fileprivate func number(at place: Int, bytes count: Int) -> Int {
        self[place..<(place + count)].reduce(0) { $0 << 8 | Int($1) }
    }
}
