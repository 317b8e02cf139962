import Documents
import TestSupport
import Testing

@Suite("HTML that wishes us ill")
struct HTMLTextFuzzTests {
    private func take(_ html: String, within limit: Duration = .seconds(60), sourceLine: Int = #line) {
        let began = ContinuousClock.now
        let page = HTMLText(html, url: "https://example.com/a/b", until: began + .seconds(2))
        let took = ContinuousClock.now - began
        #expect(took < limit, "line \(sourceLine) took \(took)")
        #expect(page.text.utf8.count <= 512_000)
    }

    @Test("Random bytes, and pages that are cut and mutated anywhere, give some text and never a crash")
    func random() {
        var dice = SplitMix(seed: 7)
        let tags = [
            "<p>", "</p>", "<table>", "<tr>", "<td>", "</td>", "</table>", "<ul><li>", "</li>", "<pre>", "</pre>",
            "<a href=x>",
            "</a>", "<h1>", "</h1>", "<script>", "</script>", "<!--", "-->", "&amp;", "&#x1F600;", "&#xFFFFFFFF;",
            "<![CDATA[",
            "<?php", "<html>", "<body hidden>", "<svg>", "</svg>", "<code>", "</code>", "<title>", "</title>", "<br",
            "\"", "'",
            "=", "text ", "\u{0}", "é", "😀", "<blockquote>", "<dd>", "<nav>", "</nav>", "<select>", "<textarea>",
            "<base href=//x/>",
        ]
        for _ in 0..<400 {
            let count = Int.random(in: 1...80, using: &dice)
            take((0..<count).map { _ in tags.randomElement(using: &dice) ?? "" }.joined())
        }
        for _ in 0..<200 {
            let bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &dice) }
            take(PageDecoding.text(bytes, declared: nil, isMarkup: true))
        }
        let page = Array(HTMLFixtures.all.map(\.html).joined().utf8)
        for _ in 0..<200 {
            var bytes = Array(page.prefix(Int.random(in: 0...page.count, using: &dice)))
            for _ in 0..<10 where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            }
            take(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test(
        "Nesting of a hundred thousand elements",
        arguments: [
            "div", "b", "table><tr><td", "ul><li", "blockquote", "a href=/x", "pre", "code", "h1", "span", "select",
            "svg",
        ]
    )
    func deep(tag: String) {
        take(String(repeating: "<\(tag)>x", count: 100_000))
        take(String(repeating: "<\(tag)>", count: 100_000) + "end")
    }

    @Test("What takes a parser quadratic time is stopped by the clock")
    func quadratic() {
        take(String(repeating: "<b>", count: 500_000) + String(repeating: "</i>", count: 500_000))
        take("<p " + (0..<500_000).map { "a\($0)" }.joined(separator: " ") + ">x</p>")
        take("<p>" + String(repeating: "<p " + (0..<8000).map { "a\($0)=1" }.joined(separator: " ") + ">", count: 40))
        take(String(repeating: "<!-- ", count: 500_000))
        take(String(repeating: "<a<b", count: 500_000))
        take(String(repeating: "&", count: 1_000_000) + String(repeating: "&#", count: 500_000))
        take(String(repeating: "<script>", count: 300_000))
        take(String(repeating: "<a href=y>z</a>", count: 300_000))
        take(String(repeating: "<ul><li>", count: 50) + String(repeating: "<li>x", count: 500_000))
    }

    @Test("Attributes of megabytes, and a picture within the page, do not hide the text behind them")
    func huge() {
        let picture = "data:image/png;base64," + String(repeating: "iVBORw0KGgo", count: 200_000)
        let page = HTMLText("<p>before</p><img src=\"\(picture)\"><p>after</p>")
        #expect(page.text == "before\n\nafter")
        take("<p title=\"" + String(repeating: "word ", count: 800_000) + "\">x</p>")
        take("<a href='" + String(repeating: "x", count: 4_000_000) + "'>x</a>")
    }

    @Test("A text that is too long is cut at a character")
    func long() {
        let page = HTMLText("<p>" + String(repeating: "é ", count: 300_000))
        #expect(page.truncated)
        #expect((511_990...512_000).contains(page.text.utf8.count))
        #expect(!page.text.contains("\u{FFFD}"))
    }
}
