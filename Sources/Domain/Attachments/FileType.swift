/// What may be attached, by its extension (contract ).
package enum FileType: String, Sendable, CaseIterable {
    case pdf, docx, xlsx, pptx
    case doc, xls, ppt
    case odt, ods, odp, rtf
    case csv, txt, md, json, yaml, yml
    case html, htm
    case png, jpg, jpeg, svg
    case zip

    /// By what follows the last dot, in any case; nil for any other extension, or none.
    package init?(filename: String) {
        guard let dot = filename.lastIndex(of: ".") else { return nil }
        self.init(rawValue: filename[filename.index(after: dot)...].lowercased())
    }

    /// The registered media type (IANA), whatever a client says: browsers misreport Office files.
    package var mimeType: String {
        switch self {
        case .pdf: "application/pdf"
        case .docx: Self.openXML + "wordprocessingml.document"
        case .xlsx: Self.openXML + "spreadsheetml.sheet"
        case .pptx: Self.openXML + "presentationml.presentation"
        case .doc: "application/msword"
        case .xls: "application/vnd.ms-excel"
        case .ppt: "application/vnd.ms-powerpoint"
        case .odt: Self.openDocument + "text"
        case .ods: Self.openDocument + "spreadsheet"
        case .odp: Self.openDocument + "presentation"
        case .rtf: "application/rtf"
        case .csv: "text/csv"
        case .txt: "text/plain"
        case .md: "text/markdown"
        case .json: "application/json"
        case .yaml, .yml: "application/yaml"
        case .html, .htm: "text/html"
        case .png: "image/png"
        case .jpg, .jpeg: "image/jpeg"
        case .svg: "image/svg+xml"
        case .zip: "application/zip"
        }
    }

    private static let openXML = "application/vnd.openxmlformats-officedocument."
    private static let openDocument = "application/vnd.oasis.opendocument."
}
