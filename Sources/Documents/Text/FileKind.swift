/// What a file should be by its name. Every type that may be uploaded is here.
enum FileKind: String, CaseIterable {
    case pdf, docx, xlsx, pptx, odt, ods, odp, doc, xls, ppt, rtf, html, svg, csv, txt, md, json, yaml, png, jpg, zip

    /// - Returns: nil for another extension, or none.
    init?(filename: String) {
        guard let dot = filename.lastIndex(of: ".") else { return nil }
        let label = filename[filename.index(after: dot)...].lowercased()
        let aliases = ["yml": "yaml", "htm": "html", "jpeg": "jpg"]
        self.init(rawValue: aliases[label] ?? label)
    }
}
