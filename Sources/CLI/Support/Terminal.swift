import Domain
import Glibc

/// What people see: tables that fit 100 columns, colour only on a terminal.
enum Terminal {
    static let isInteractive = isatty(STDOUT_FILENO) == 1

    enum Colour: String {
        case red = "31", green = "32", yellow = "33", blue = "34", dim = "2", bold = "1"
    }

    static func paint(_ text: String, _ colour: Colour) -> String {
        isInteractive ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    static func say(_ text: String) {
        write(text + "\n", to: STDOUT_FILENO)
    }

    static func complain(_ text: String) {
        write(text + "\n", to: STDERR_FILENO)
    }

    /// Without a buffer, so that progress is seen when it happens.
    static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            sent += count
        }
    }

    static func seconds(_ value: Double) -> String {
        switch value {
        case ..<0: "0s"
        case ..<60: "\(Int(value * 10) % 10 == 0 || value >= 10 ? "\(Int(value))" : "\(Double(Int(value * 10)) / 10)")s"
        case ..<3600: "\(Int(value) / 60)m\(Int(value) % 60)s"
        default: "\(Int(value) / 3600)h\(Int(value) % 3600 / 60)m"
        }
    }
}
