/// Money of the crew engine: whole billionths of a US dollar, so that sums are exact (design O-12).
package struct NanoUSD: Hashable, Sendable, Comparable {
    package var nanos: Int64

    package init(nanos: Int64) {
        self.nanos = nanos
    }

    package static let zero = NanoUSD(nanos: 0)

    /// Dollars, rounded to the nearest nano-dollar; nil where that does not fit.
    package init?(dollars: Double) {
        guard dollars.isFinite, abs(dollars) < 9e9 else { return nil }
        self.init(nanos: Int64((dollars * 1e9).rounded()))
    }

    package var dollars: Double { Double(nanos) / 1e9 }

    /// `4.97`: two decimals, cut, for sentences.
    package var cents: String {
        let cents = nanos / 10_000_000
        let rest = cents % 100
        return "\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    package static func < (left: Self, right: Self) -> Bool { left.nanos < right.nanos }
    package static func + (left: Self, right: Self) -> Self { Self(nanos: left.nanos + right.nanos) }
    package static func - (left: Self, right: Self) -> Self { Self(nanos: left.nanos - right.nanos) }
    package static func += (left: inout Self, right: Self) { left = left + right }
}
