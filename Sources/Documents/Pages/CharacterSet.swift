import Glibc

/// A way to write text as bytes.
enum CharacterSet: Equatable {
    case utf8
    case utf16(isLittle: Bool)
    /// By glibc's name for it.
    case other(String)

    /// - Parameter label: as servers and pages write it; nil where it is none that is read.
    init?(label: String) {
        let name = label.lowercased().filter { !$0.isWhitespace }
        switch name {
        case "utf-8", "utf8", "unicode-1-1-utf-8", "x-unicode20utf8": self = .utf8
        case "utf-16", "utf-16le", "ucs-2", "unicode", "iso-10646-ucs-2": self = .utf16(isLittle: true)
        case "utf-16be": self = .utf16(isLittle: false)
        default:
            guard let known = Self.names[name] else { return nil }
            self = .other(known)
        }
    }

    var isWide: Bool {
        if case .utf16 = self { true } else { false }
    }

    /// What browsers take a label for (WHATWG Encoding Standard, 4.2), as glibc calls it. Latin-1 is always Windows-1252.
    /// No stateful set is among them but ISO-2022-JP, which Japanese pages use.
    private static let names: [String: String] = {
        var names: [String: String] = [:]
        let western = [
            "iso-8859-1", "iso8859-1", "latin1", "l1", "us-ascii", "ascii", "windows-1252", "cp1252", "x-cp1252",
        ]
        for label in western { names[label] = "CP1252" }
        for number in [2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16] {
            for label in ["iso-8859-\(number)", "iso8859-\(number)", "iso_8859-\(number)"] {
                names[label] = "ISO-8859-\(number)"
            }
        }
        for page in [1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258] {
            for label in ["windows-\(page)", "cp\(page)", "x-cp\(page)"] { names[label] = "CP\(page)" }
        }
        for label in ["iso-8859-9", "iso8859-9", "latin5"] { names[label] = "CP1254" }
        for label in ["iso-8859-11", "tis-620", "windows-874"] { names[label] = "CP874" }
        for label in ["shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji", "windows-31j", "cp932"] {
            names[label] = "CP932"
        }
        for label in ["gb2312", "gbk", "gb18030", "x-gbk", "gb_2312-80", "chinese", "cp936"] {
            names[label] = "GB18030"
        }
        for label in ["euc-kr", "ks_c_5601-1987", "korean", "windows-949"] { names[label] = "CP949" }
        for label in ["big5", "big5-hkscs", "cn-big5", "x-x-big5"] { names[label] = "BIG5-HKSCS" }
        for label in ["euc-jp", "x-euc-jp"] { names[label] = "EUC-JP-MS" }
        for (label, name) in [
            ("koi8-r", "KOI8-R"), ("koi8-u", "KOI8-U"), ("iso-2022-jp", "ISO-2022-JP"), ("macintosh", "MACINTOSH"),
            ("ibm866", "CP866"), ("cp866", "CP866"),
        ] { names[label] = name }
        return names
    }()

    /// The text, with U+FFFD for what is none.
    func decode(_ bytes: ArraySlice<UInt8>) -> String {
        switch self {
        case .utf8: String(decoding: bytes, as: UTF8.self)
        case .utf16(let isLittle): Self.wide(bytes, isLittle: isLittle)
        case .other(let name):
            String(decoding: Converter(name)?.convert(Array(bytes)).bytes ?? Array(bytes), as: UTF8.self)
        }
    }

    /// How many bytes, or pairs of bytes, mean nothing in this set.
    func faults(in bytes: [UInt8]) -> Int {
        guard case .other(let name) = self, let converter = Converter(name) else { return .max }
        return converter.convert(bytes).faults
    }

    private static func wide(_ bytes: ArraySlice<UInt8>, isLittle: Bool) -> String {
        let units = stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2).lazy.map { at in
            isLittle ? UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8 : UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])
        }
        return String(decoding: Array(units), as: UTF16.self)
    }
}

/// iconv, from one character set to UTF-8.
private struct Converter {
    private let name: String

    init?(_ name: String) {
        guard let handle = iconv_open("UTF-8", name), Int(bitPattern: handle) != -1 else { return nil }
        iconv_close(handle)
        self.name = name
    }

    /// Never stops at a fault: a byte that means nothing is left out, with U+FFFD in its place.
    func convert(_ bytes: [UInt8]) -> (bytes: [UInt8], faults: Int) {
        guard let handle = iconv_open("UTF-8", name), Int(bitPattern: handle) != -1 else { return (bytes, .max) }
        defer { iconv_close(handle) }
        var input = bytes.map { CChar(bitPattern: $0) }
        var room = [CChar](repeating: 0, count: 64 << 10)
        var out: [UInt8] = []
        var faults = 0
        out.reserveCapacity(bytes.count)
        input.withUnsafeMutableBufferPointer { input in
            room.withUnsafeMutableBufferPointer { room in
                // Safe: both pointers and counts describe the buffers, which live longer than the calls.
                var from = input.baseAddress
                var left = input.count
                while left > 0 {
                    var to = room.baseAddress
                    var free = room.count
                    let result = iconv(handle, &from, &left, &to, &free)
                    let reason = errno
                    out += room[..<(room.count - free)].lazy.map { UInt8(bitPattern: $0) }
                    guard result == -1, reason != E2BIG else { continue }
                    out += [0xEF, 0xBF, 0xBD]
                    faults += 1
                    from = from.map { $0 + 1 }
                    left -= 1
                }
            }
        }
        return (out, faults)
    }
}
