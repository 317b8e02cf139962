#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A tenant's colour.
package struct BrandColor: Sendable, Hashable {
    private let red: UInt8
    private let green: UInt8
    private let blue: UInt8

    /// - Parameter text: `#RRGGBB`, in any case.
    /// - Throws: ``BrandFault/noColor(_:)``.
    package init(_ text: String) throws(BrandFault) {
        let digits = Array(text.utf8).dropFirst()
        guard text.hasPrefix("#"), digits.count == 6, let value = Self.number(digits) else {
            throw .noColor(String(text.prefix(40)))
        }
        (red, green, blue) = (UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF))
    }

    private init(red: UInt8, green: UInt8, blue: UInt8) {
        (self.red, self.green, self.blue) = (red, green, blue)
    }

    private static func number(_ digits: some Sequence<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard let worth = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
            value = value << 4 | worth
        }
        return value
    }

    /// `#rrggbb`.
    package var hex: String {
        "#" + [red, green, blue].hexadecimal
    }

    /// The same tone, darkened until text of it on white paper can be read: a contrast of at least 4.5 to 1 (WCAG 2.1,
    /// criterion 1.4.3).
    package var readable: BrandColor {
        var color = self
        while color.contrastWithWhite < 4.5 {
            color = BrandColor(
                red: Self.darker(color.red),
                green: Self.darker(color.green),
                blue: Self.darker(color.blue)
            )
        }
        return color
    }

    private static func darker(_ part: UInt8) -> UInt8 { UInt8(Int(part) * 95 / 100) }

    /// 1 to 21 (WCAG 2.1, contrast ratio).
    package var contrastWithWhite: Double { 1.05 / (luminance + 0.05) }

    private var luminance: Double {
        0.2126 * Self.linear(red) + 0.7152 * Self.linear(green) + 0.0722 * Self.linear(blue)
    }

    private static func linear(_ part: UInt8) -> Double {
        let share = Double(part) / 255
        return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
    }
}
