import CCmark
package import Domain

/// GitHub-flavoured Markdown as a tree of data (parser: libcmark-gfm; language: https://github.github.com/gfm/).
///
/// A node is `{"t": type, "c": children, …}`; leaves have their text in `v`. Types are cmark's own words.
package enum MarkdownTree {
    /// Deeper than this, a node is kept as its plain text: a page has no room for more, and a stack has an end.
    static let depthLimit = 24

    /// Any text is Markdown, so this never fails.
    package static func parse(_ markdown: String) -> JSON {
        let text = String(String.UnicodeScalarView(markdown.unicodeScalars.filter { isPrintable($0) }))
        guard let document = document(text) else { return ["t": "document", "c": []] }
        defer { cmark_node_free(document) }
        return node(document, depth: 0)
    }

    /// Control characters have no glyph, and some make a PDF that readers refuse.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory != .control || scalar == "\n" || scalar == "\t" || scalar == "\r"
    }

    /// Extensions are registered once in the life of the process.
    private static let extensions: [String] = {
        cmark_gfm_core_extensions_ensure_registered()
        return ["table", "strikethrough", "tasklist", "autolink"]
    }()

    private static func document(_ text: String) -> OpaquePointer? {
        let names = extensions
        guard let parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8) else { return nil }
        defer { cmark_parser_free(parser) }
        for name in names {
            guard let found = cmark_find_syntax_extension(name) else { continue }
            cmark_parser_attach_syntax_extension(parser, found)
        }
        cmark_parser_feed(parser, text, text.utf8.count)
        return cmark_parser_finish(parser)
    }

    private static func node(_ node: OpaquePointer, depth: Int) -> JSON {
        guard depth < depthLimit else { return ["t": "text", "v": .string(plainText(of: node))] }
        let type = String(cString: cmark_node_get_type_string(node))
        var members: [String: JSON] = ["t": .string(type)]
        switch type {
        case "text", "code", "code_block", "html_block", "html_inline":
            members["v"] = .string(literal(of: node))
        case "image":
            // Nothing is ever fetched: an image is its description.
            return ["t": "text", "v": .string(plainText(of: node))]
        default:
            members.merge(attributes(of: node, type)) { _, new in new }
            members["c"] = .array(children(of: node).map { Self.node($0, depth: depth + 1) })
        }
        return .object(members)
    }

    private static func attributes(of node: OpaquePointer, _ type: String) -> [String: JSON] {
        switch type {
        case "heading": ["level": .integer(Int(cmark_node_get_heading_level(node)))]
        case "list":
            [
                "ordered": .bool(cmark_node_get_list_type(node) == CMARK_ORDERED_LIST),
                "start": .integer(Int(cmark_node_get_list_start(node))),
            ]
        case "tasklist": ["checked": .bool(cmark_gfm_extensions_get_tasklist_item_checked(node))]
        case "link": ["url": .string(safe(url: cmark_node_get_url(node).map { String(cString: $0) } ?? ""))]
        case "table": ["align": .array(alignments(of: node))]
        default: [:]
        }
    }

    /// Only addresses that a reader may follow without harm; anything else becomes plain text.
    private static func safe(url: String) -> String {
        let lower = url.lowercased()
        return ["http://", "https://", "mailto:"].contains { lower.hasPrefix($0) } ? url : ""
    }

    private static func alignments(of table: OpaquePointer) -> [JSON] {
        let count = Int(cmark_gfm_extensions_get_table_columns(table))
        guard let letters = cmark_gfm_extensions_get_table_alignments(table) else { return [] }
        return (0..<count).map { index in
            switch letters[index] {
            case UInt8(ascii: "r"): "right"
            case UInt8(ascii: "c"): "center"
            default: "left"
            }
        }
    }

    private static func children(of node: OpaquePointer) -> [OpaquePointer] {
        Array(
            sequence(state: cmark_node_first_child(node)) { next in
                defer { next = next.flatMap { cmark_node_next($0) } }
                return next
            }
        )
    }

    private static func literal(of node: OpaquePointer) -> String {
        cmark_node_get_literal(node).map { String(cString: $0) } ?? ""
    }

    /// All words below a node, without recursion.
    private static func plainText(of node: OpaquePointer) -> String {
        guard let steps = cmark_iter_new(node) else { return "" }
        defer { cmark_iter_free(steps) }
        var words: [String] = []
        while cmark_iter_next(steps) != CMARK_EVENT_DONE {
            let text = cmark_iter_get_node(steps).map { literal(of: $0) } ?? ""
            if !text.isEmpty, cmark_iter_get_event_type(steps) == CMARK_EVENT_ENTER { words.append(text) }
        }
        return words.joined(separator: " ")
    }
}
