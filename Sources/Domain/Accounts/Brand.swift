/// What a tenant's documents look like (contract E-56).
package struct Brand: Sendable, Hashable {
    package var color: BrandColor?
    package var logo: BrandLogo?

    package init(color: BrandColor? = nil, logo: BrandLogo? = nil) {
        self.color = color
        self.logo = logo
    }

    /// The house's own look.
    package static let none = Brand()
}

/// Why a colour or a logo is not taken. The text says what to do.
package enum BrandFault: Error, Equatable, CustomStringConvertible {
    case noColor(String)
    case tooLarge(bytes: Int)
    case vector
    case noImage
    case damaged
    case tooManyPixels(width: Int, height: Int)

    package var description: String {
        switch self {
        case .noColor(let text):
            "\"\(text)\" is no colour. Write # and six hexadecimal digits, such as #1F4E79."
        case .tooLarge(let bytes):
            "The logo has \(bytes) bytes, and \(BrandLogo.sizeLimit) are the most. Save it smaller."
        case .vector: "SVG logos are not taken, because they can hold programs. Save the logo as PNG."
        case .noImage: "The logo is neither PNG nor JPEG. Save it as one of them."
        case .damaged: "The logo's file is damaged or cut off. Save it again as PNG or JPEG."
        case .tooManyPixels(let width, let height):
            "The logo has \(width) by \(height) pixels, and \(BrandLogo.sideLimit) a side are the most. Save it smaller."
        }
    }
}
