import Documents
import Domain
import Testing

@Suite("Markdown as a tree of data")
struct MarkdownTreeTests {
    @Test(
        "Each construct becomes a node",
        arguments: [
            ("# A", #"{"c":[{"t":"text","v":"A"}],"level":1,"t":"heading"}"#),
            ("a *b*", #"{"c":[{"t":"text","v":"a "},{"c":[{"t":"text","v":"b"}],"t":"emph"}],"t":"paragraph"}"#),
            ("~~a~~", #"{"c":[{"c":[{"t":"text","v":"a"}],"t":"strikethrough"}],"t":"paragraph"}"#),
            ("```\nx\n```", #"{"t":"code_block","v":"x\n"}"#),
            ("---", #"{"c":[],"t":"thematic_break"}"#),
            ("a\\\nb", #"{"c":[{"t":"text","v":"a"},{"c":[],"t":"linebreak"},{"t":"text","v":"b"}],"t":"paragraph"}"#),
            ("![the chart](http://a/b.png)", #"{"c":[{"t":"text","v":"the chart"}],"t":"paragraph"}"#),
            ("[a](javascript:x)", #"{"c":[{"c":[{"t":"text","v":"a"}],"t":"link","url":""}],"t":"paragraph"}"#),
            (
                "[a](https://b.c)",
                #"{"c":[{"c":[{"t":"text","v":"a"}],"t":"link","url":"https://b.c"}],"t":"paragraph"}"#
            ),
        ]
    )
    func nodes(markdown: String, expected: String) {
        #expect(MarkdownTree.parse(markdown)["c"]?.arrayValue?.first?.text == expected)
    }

    @Test("A table knows its columns, its header and how they are aligned")
    func table() {
        let table = MarkdownTree.parse("| a | b |\n|:--|--:|\n| 1 | 2 |\n")["c"]?.arrayValue?.first
        #expect(table?["t"] == "table")
        #expect(table?["align"] == ["left", "right"])
        #expect(table?["c"]?.arrayValue?.compactMap { $0["t"]?.stringValue } == ["table_header", "table_row"])
    }

    @Test("Lists nest, count from where they begin, and have boxes to tick")
    func lists() {
        let list = MarkdownTree.parse("3. a\n   - [x] b\n   - [ ] c\n")["c"]?.arrayValue?.first
        #expect(list?["ordered"] == true)
        #expect(list?["start"] == 3)
        let inner = list?["c"]?.arrayValue?.first?["c"]?.arrayValue?.last
        #expect(inner?["c"]?.arrayValue?.compactMap { $0["checked"]?.boolValue } == [true, false])
    }

    @Test("Nesting without end is cut, and its words are kept")
    func depth() {
        let tree = MarkdownTree.parse(String(repeating: "> ", count: 2000) + "the end")
        #expect(tree.text.contains("the end"))
        #expect(tree.text.utf8.count < 2000)
    }
}
