private import Glibc

/// Code that only the start of the process needed: command parsing, configuration, connection set-up.
///
/// It stays resident for as long as memory is plenty, so an idle worker looks larger than what it uses. Giving the pages back
/// is safe: executable segments are never written, and whatever is needed again comes from the page cache (madvise(2),
/// MADV_DONTNEED on a private file mapping).
enum StartupCode {
    /// Gives all executable pages back. Costs some hundred minor page faults, once.
    static func release() {
        for range in executableRanges() {
            guard let start = UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { continue }
            madvise(start, Int(range.upperBound - range.lowerBound), MADV_DONTNEED)
        }
    }

    /// From /proc/self/maps: `from-to r-xp offset device inode /path`.
    private static func executableRanges() -> [Range<UInt>] {
        maps().split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { return nil }
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            return bounds.count == 2 && bounds[0] < bounds[1] ? bounds[0]..<bounds[1] : nil
        }
    }

    private static func maps() -> String {
        let file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while case let count = read(file, &buffer, buffer.count), count > 0 { text += buffer.prefix(count) }
        return String(decoding: text, as: UTF8.self)
    }
}
