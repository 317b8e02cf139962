/// What each element means for a page's text.
enum HTMLElements {
    /// Never text: code, forms' fields, and what is drawn.
    static let silent: Set = [
        "script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "canvas", "audio", "video",
        "textarea", "select", "datalist", "noframes", "applet",
    ]
    /// Text that is there to move around with.
    static let navigation: Set = ["nav", "button", "dialog"]
    /// Begin and end a paragraph.
    static let blocks: Set = [
        "p", "div", "section", "article", "main", "header", "footer", "aside", "figure", "figcaption", "address",
        "fieldset", "form", "details", "summary", "dl", "hgroup", "center", "caption", "legend", "table", "html",
        "body",
        "search", "dir",
    ]
    static let code: Set = ["code", "kbd", "samp", "tt"]
    static let preformatted: Set = ["pre", "listing", "xmp", "plaintext"]

    /// 1 to 6; nil where it is no heading.
    static func level(_ name: String) -> Int? {
        let bytes = Array(name.utf8)
        guard bytes.count == 2, bytes[0] == 0x68, (0x31...0x36).contains(bytes[1]) else { return nil }
        return Int(bytes[1] - 0x30)
    }

    /// A browser would not show it.
    static func isHidden(_ name: String, _ attributes: HTMLAttributes) -> Bool {
        // Pages hide themselves until their script has run.
        guard name != "html", name != "body" else { return false }
        if attributes["hidden"] != nil || attributes["aria-hidden"]?.lowercased() == "true" { return true }
        guard let style = attributes["style"] else { return false }
        let plain = style.prefix(1000).lowercased().filter { !$0.isWhitespace }
        return plain.contains("display:none") || plain.contains("visibility:hidden")
    }

    static func isNavigation(_ name: String, _ attributes: HTMLAttributes) -> Bool {
        if navigation.contains(name) { return true }
        guard let role = attributes["role"]?.lowercased() else { return false }
        return ["navigation", "menu", "menubar", "search", "dialog", "alertdialog"].contains(role)
    }
}
