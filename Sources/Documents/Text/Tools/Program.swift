/// The programs that read what we do not, by the names they are found under.
enum Program: String, CaseIterable {
    case pdftotext, pandoc, xlsx2csv, catdoc, xls2csv, catppt, python3

    /// The Debian package that has it.
    var aptPackage: String {
        switch self {
        case .pdftotext: "poppler-utils"
        case .pandoc: "pandoc"
        case .xlsx2csv: "xlsx2csv"
        case .catdoc, .xls2csv, .catppt: "catdoc"
        case .python3: "python3"
        }
    }

    /// Bytes of address space. Haskell's runtime reserves more than it uses; `-M` is its real limit.
    var addressSpace: Int {
        switch self {
        case .pandoc: 2 << 30
        default: 512 << 20
        }
    }
}
