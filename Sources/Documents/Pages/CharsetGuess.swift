/// A character set by the bytes alone. It can be wrong; it is asked last.
enum CharsetGuess {
    /// Bytes that are looked at.
    private static let reach = 64 << 10

    static func best(for bytes: [UInt8]) -> CharacterSet {
        let sample = Array(bytes.prefix(reach))
        if let wide = wide(sample) { return wide }
        if isUTF8(sample, isWhole: bytes.count <= reach) { return .utf8 }
        let high = sample.count { $0 >= 0x80 }
        let letters = sample.count { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }
        // Western text has an accent now and then; words of other scripts are nothing but high bytes.
        guard high > 4, high > letters || 2 * inWords(sample) > high else { return .other("CP1252") }
        return eastern(sample, high) ?? .other("CP1251")
    }

    /// High bytes that stand three or more together.
    private static func inWords(_ sample: [UInt8]) -> Int {
        sample.split(whereSeparator: { $0 < 0x80 }).filter { $0.count >= 3 }.reduce(0) { $0 + $1.count }
    }

    /// UTF-16 without a mark: Latin letters have a zero on one side.
    private static func wide(_ sample: [UInt8]) -> CharacterSet? {
        var zeros = (even: 0, odd: 0)
        for (index, byte) in sample.enumerated() where byte == 0 {
            if index % 2 == 0 { zeros.even += 1 } else { zeros.odd += 1 }
        }
        if zeros.odd * 5 > sample.count, zeros.even * 20 < zeros.odd { return .utf16(isLittle: true) }
        if zeros.even * 5 > sample.count, zeros.odd * 20 < zeros.even { return .utf16(isLittle: false) }
        return nil
    }

    private static func isUTF8(_ sample: [UInt8], isWhole: Bool) -> Bool {
        var end = sample.count
        // The sample may end within a character.
        while !isWhole, end > sample.count - 4, end > 0, sample[end - 1] >= 0x80 { end -= 1 }
        return String(validating: sample[..<end], as: UTF8.self) != nil
    }

    /// The first set of the Far East in which nearly all of it means something usual.
    private static func eastern(_ sample: [UInt8], _ high: Int) -> CharacterSet? {
        let sets: [(CharacterSet, usual: (UInt8, UInt8) -> Bool)] = [
            // Hiragana and katakana.
            (.other("CP932"), { $0 == 0x82 && $1 >= 0x9F || $0 == 0x83 && $1 <= 0x96 }),
            (.other("EUC-JP-MS"), { $0 == 0xA4 && $1 >= 0xA1 || $0 == 0xA5 && $1 >= 0xA1 }),
            // Hangul, and the ideographs of the first level.
            (.other("CP949"), { (0xB0...0xC8).contains($0) && $1 >= 0xA1 }),
            (.other("GB18030"), { (0xB0...0xF7).contains($0) && $1 >= 0xA1 }),
        ]
        for (set, usual) in sets where set.faults(in: sample) * 100 <= high {
            let (pairs, count) = pairs(in: sample, usual)
            let share = set == .other("CP932") || set == .other("EUC-JP-MS") ? 4 : 2
            if count > 0, pairs * share >= count {
                return set == .other("CP949") && !isHangul(sample) ? .other("GB18030") : set
            }
        }
        return nil
    }

    private static func pairs(in sample: [UInt8], _ usual: (UInt8, UInt8) -> Bool) -> (usual: Int, all: Int) {
        var (found, all, at) = (0, 0, 0)
        while at + 1 < sample.count {
            guard sample[at] >= 0x80 else {
                at += 1
                continue
            }
            all += 1
            if usual(sample[at], sample[at + 1]) { found += 1 }
            at += 2
        }
        return (found, all)
    }

    /// Korean is nearly all Hangul; Chinese uses the leads behind it as much as those before.
    private static func isHangul(_ sample: [UInt8]) -> Bool {
        let (hangul, all) = pairs(in: sample) { lead, _ in (0xB0...0xC8).contains(lead) }
        return hangul * 10 >= all * 9
    }
}
