private import FoundationEssentials

/// A time zone: how far its clocks are from UTC at any moment, from the system's IANA database.
///
/// Read from the TZif files themselves (RFC 8536), because the lean Foundation knows fixed offsets only.
package struct ZoneRules: Sendable, Equatable {
    package let name: String
    private let file: ZoneFile

    /// No change of the clocks is nearer than this to both sides of a moment on the wall, and no offset is larger.
    private static let reach = 26 * 3600

    /// - Parameters:
    ///   - name: such as `Europe/Berlin`.
    ///   - folder: where the database lies.
    /// - Throws: ``ZoneError`` where there is no such zone, or its file cannot be read.
    package init(_ name: String, folder: String = "/usr/share/zoneinfo") throws(ZoneError) {
        let allowed = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte & 0xDF) || "_+-/".utf8.contains(byte)
        }
        guard allowed, !name.isEmpty, !name.hasPrefix("/"), name.utf8.count <= 64 else {
            throw ZoneError("\"\(name)\" is no name of a time zone. Write an IANA name such as Europe/Berlin or UTC")
        }
        guard let data = try? Data(contentsOf: URL(filePath: folder + "/" + name)) else {
            throw ZoneError(
                "there is no time zone \"\(name)\" in \(folder). Write an IANA name such as Europe/Berlin; if the folder "
                    + "is empty, install the package tzdata"
            )
        }
        guard let file = ZoneFile(Array(data)) else {
            throw ZoneError("the file \(folder)/\(name) is no time zone of the form TZif (RFC 8536)")
        }
        self.name = name
        self.file = file
    }

    /// Seconds east of UTC at this moment (seconds since 1970).
    package func offset(at instant: Int) -> Int { file.offset(at: instant) }

    /// When a clock on the wall shows `wall` for the first time; where it never does, the first moment after the gap.
    package func instant(ofWall wall: Int) -> Int {
        let offsets = [offset(at: wall - Self.reach), offset(at: wall + Self.reach)]
        let moments = offsets.map { wall - $0 }.filter { $0 + offset(at: $0) == wall }
        return moments.min() ?? endOfGap(wall)
    }

    private func endOfGap(_ wall: Int) -> Int {
        var (low, high) = (wall - Self.reach, wall + Self.reach)
        while low < high {
            let middle = low + (high - low) / 2
            if middle + offset(at: middle) >= wall { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// A moment after `start`, `end` at the latest, at which the offset stops being `offset`.
    func change(from offset: Int, after start: Int, upTo end: Int) -> Int {
        var (low, high) = (start, end)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if self.offset(at: middle) == offset { low = middle } else { high = middle }
        }
        return high
    }
}

/// A time zone that cannot be used. The text says why and what to do.
package struct ZoneError: Error, CustomStringConvertible, Equatable {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
