import Domain
import NIOHTTP1

/// What an answer says it is (RFC 9110, 8.3), as far as pages go.
struct MediaType {
    /// In lower case, without parameters.
    let type: String
    let charset: String?
    let packing: Packing?

    /// How a body is packed, of the ways that are read.
    enum Packing {
        case gzip, deflate
    }

    static let unreadable = "the page is packed in a way that cannot be read"

    /// Decision D-47: what is read as text.
    private static let readable: Set = [
        "text/html", "application/xhtml+xml", "text/plain", "text/markdown", "text/x-markdown", "text/csv",
        "application/csv", "application/json", "text/json", "text/xml", "application/xml", "text/yaml", "text/x-yaml",
        "application/yaml", "application/x-yaml",
    ]

    /// - Throws: ``FetchFault`` where it is no text, or packed in a way we do not unpack.
    init(of headers: HTTPHeaders) throws(FetchFault) {
        switch (headers.first(name: "Content-Encoding") ?? "").lowercased() {
        case "", "identity": packing = nil
        case "gzip", "x-gzip": packing = .gzip
        case "deflate": packing = .deflate
        default: throw .failed(Self.unreadable)
        }
        let fields = (headers.first(name: "Content-Type") ?? "").split(separator: ";").map { String($0) }
        type = Self.trimmed(fields.first ?? "").lowercased()
        charset = fields.dropFirst().compactMap(Self.charset).first
        let isFeed = type.hasPrefix("application/") && (type.hasSuffix("+xml") || type.hasSuffix("+json"))
        guard Self.readable.contains(type) || isFeed else {
            let what = type.isEmpty ? "of no stated type" : "of the type \(type.prefix(100))"
            throw .failed("the page is \(what): HTML, plain text, Markdown, CSV, JSON, XML and YAML are read")
        }
    }

    private static func charset(_ parameter: String) -> String? {
        let pair = parameter.split(separator: "=", maxSplits: 1)
        guard pair.count == 2, trimmed(String(pair[0])).lowercased() == "charset" else { return nil }
        return trimmed(String(pair[1])).filter { $0 != "\"" && $0 != "'" }
    }

    private static func trimmed(_ text: String) -> String {
        var view = Substring(text)
        while view.first?.isWhitespace == true { view.removeFirst() }
        while view.last?.isWhitespace == true { view.removeLast() }
        return String(view)
    }
}
