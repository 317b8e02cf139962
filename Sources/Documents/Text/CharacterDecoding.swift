import Glibc

/// Bytes of a text file as UTF-8, whatever they were written in.
enum CharacterDecoding {
    /// - Parameters:
    ///   - raw: the beginning of the file.
    ///   - declared: the name of a character set that the file gives itself; used where nothing speaks against it.
    /// - Returns: nil where the bytes are no text.
    static func utf8(_ raw: [UInt8], declared: String? = nil) -> [UInt8]? {
        if let marked = byMark(raw) { return marked }
        if raw.contains(0) { return wide(raw, zerosAt: zeros(raw)) }
        guard controls(in: raw) * 100 <= raw.count else { return nil }
        let body = withoutBrokenEnd(raw)
        if String(validating: body, as: UTF8.self) != nil { return Array(body) }
        if let declared, let converted = convert(raw, from: declared) { return converted }
        return western(raw)
    }

    // MARK: Marks and widths

    private static func byMark(_ raw: [UInt8]) -> [UInt8]? {
        if raw.starts(with: [0xEF, 0xBB, 0xBF]) {
            return Array(String(decoding: raw.dropFirst(3), as: UTF8.self).utf8)
        }
        if raw.starts(with: [0xFF, 0xFE, 0, 0]) { return wide(Array(raw.dropFirst(4)), unit: 4, isLittle: true) }
        if raw.starts(with: [0, 0, 0xFE, 0xFF]) { return wide(Array(raw.dropFirst(4)), unit: 4, isLittle: false) }
        if raw.starts(with: [0xFF, 0xFE]) { return wide(Array(raw.dropFirst(2)), unit: 2, isLittle: true) }
        if raw.starts(with: [0xFE, 0xFF]) { return wide(Array(raw.dropFirst(2)), unit: 2, isLittle: false) }
        return nil
    }

    private static func zeros(_ raw: [UInt8]) -> (even: Int, odd: Int) {
        var count = (even: 0, odd: 0)
        for (index, byte) in raw.prefix(4096).enumerated() where byte == 0 {
            if index % 2 == 0 { count.even += 1 } else { count.odd += 1 }
        }
        return count
    }

    /// UTF-16 without a mark shows by a zero in most Latin letters, always on the same side.
    private static func wide(_ raw: [UInt8], zerosAt count: (even: Int, odd: Int)) -> [UInt8]? {
        let seen = min(raw.count, 4096)
        if count.even == 0, count.odd * 5 >= seen { return wide(raw, unit: 2, isLittle: true) }
        if count.odd == 0, count.even * 5 >= seen { return wide(raw, unit: 2, isLittle: false) }
        return nil
    }

    private static func wide(_ raw: [UInt8], unit: Int, isLittle: Bool) -> [UInt8]? {
        var units: [UInt32] = []
        units.reserveCapacity(raw.count / unit)
        for at in stride(from: 0, to: raw.count - unit + 1, by: unit) {
            var value: UInt32 = 0
            for place in 0..<unit { value = value << 8 | UInt32(raw[at + (isLittle ? unit - 1 - place : place)]) }
            units.append(value)
        }
        let text =
            unit == 2
            ? String(decoding: units.map { UInt16($0) }, as: UTF16.self) : String(decoding: units, as: UTF32.self)
        let bytes = Array(text.utf8)
        return controls(in: bytes) * 100 <= bytes.count ? bytes : nil
    }

    /// Control characters that no text needs; a form feed and an escape may stand in one.
    private static func controls(in bytes: [UInt8]) -> Int {
        bytes.count { $0 < 0x20 && !(0x09...0x0D).contains($0) && $0 != 0x1B }
    }

    /// Reading stops at a number of bytes, which may be within a character.
    private static func withoutBrokenEnd(_ raw: [UInt8]) -> ArraySlice<UInt8> {
        guard let lead = raw.suffix(4).lastIndex(where: { $0 & 0xC0 != 0x80 }), raw[lead] >= 0xC2 else {
            return raw[...]
        }
        let length = raw[lead] >= 0xF0 ? 4 : raw[lead] >= 0xE0 ? 3 : 2
        return raw.count - lead < length ? raw[..<lead] : raw[...]
    }

    // MARK: Character sets

    /// Windows-1252: what remains when nothing else is known. Five of its bytes have no character and become U+FFFD.
    private static func western(_ raw: [UInt8]) -> [UInt8] {
        var text = String.UnicodeScalarView()
        for byte in raw {
            let value = (0x80..<0xA0).contains(byte) ? special[Int(byte) - 0x80] : UInt16(byte)
            text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
        }
        return Array(String(text).utf8)
    }

    private static let special: [UInt16] = [
        0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD,
        0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0xFFFD, 0x017E, 0x0178,
    ]

    /// The sets that pages still declare. No stateful one: a converter's states are where its faults are.
    private static let known: Set<String> = [
        "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-9", "iso-8859-15", "windows-1250", "windows-1251",
        "windows-1253", "windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258", "koi8-r",
        "koi8-u",
        "shift_jis", "euc-jp", "gbk", "gb2312", "gb18030", "big5", "euc-kr",
    ]

    private static func convert(_ raw: [UInt8], from name: String) -> [UInt8]? {
        let name = name.lowercased()
        guard known.contains(name), let converter = iconv_open("UTF-8", name) else { return nil }
        // The C function's way to say that it knows no such set.
        guard Int(bitPattern: converter) != -1 else { return nil }
        defer { iconv_close(converter) }
        var (rest, done): ([UInt8], [UInt8]) = (raw, [])
        while !rest.isEmpty {
            let taken = step(converter, &rest, &done)
            // A byte that means nothing there.
            if taken == 0 {
                rest.removeFirst()
                done += Array("\u{FFFD}".utf8)
            }
        }
        return done
    }

    /// Converts what it can of the next 64 KiB, and says how many bytes that were.
    private static func step(_ converter: iconv_t, _ rest: inout [UInt8], _ done: inout [UInt8]) -> Int {
        var chunk = rest.prefix(65_536).map { CChar(bitPattern: $0) }
        var room = [CChar](repeating: 0, count: chunk.count * 4)
        let (given, space) = (chunk.count, room.count)
        var (left, free) = (given, space)
        chunk.withUnsafeMutableBufferPointer { input in
            room.withUnsafeMutableBufferPointer { output in
                var (from, to) = (input.baseAddress, output.baseAddress)
                // Safe: both pointers are valid for the counts given, for the time of the call.
                _ = iconv(converter, &from, &left, &to, &free)
            }
        }
        done += room[..<(space - free)].map { UInt8(bitPattern: $0) }
        rest.removeFirst(given - left)
        return given - left
    }
}
