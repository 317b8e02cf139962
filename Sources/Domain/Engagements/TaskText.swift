/// The rules for the texts a caller may put in a task.
enum TaskText {
    /// C0, DEL, C1, and the line and paragraph separators: they break log lines and file names.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    static func isBlank(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }

    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    /// What is wrong with a file name; nil where nothing is.
    static func fault(inFilename name: String) -> String? {
        let scalars = name.unicodeScalars
        if scalars.isEmpty || isBlank(name) { return "must not be empty" }
        if scalars.count > 120 { return "must be at most 120 characters" }
        if scalars.contains(where: { $0 == "/" || $0 == "\\" }) { return "must be a plain name without folders" }
        if scalars.contains(where: isControl) { return "must not contain control characters" }
        if name.hasPrefix("_") { return "must not begin with \"_\": such names are the system's own" }
        if name.hasPrefix(".") { return "must not begin with a dot" }
        return trimmed(name) == name ? nil : "must not begin or end with a space"
    }

    /// Letters, digits, `_`, `-`, at most 64: what is safe in events, paths and log lines.
    static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isIDByte)
    }

    private static func isIDByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// `Market size & growth` becomes `market_size_growth`; empty where no letter or digit of ASCII is left.
    static func id(fromTitle title: String) -> String {
        let dashed = Engagement.slug(of: title)
        guard title.utf8.contains(where: { isIDByte($0) && $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }) else {
            return ""
        }
        return String(dashed.prefix(56)).replacing("-", with: "_")
    }
}
