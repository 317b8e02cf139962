import Testing

/// Pages as they are found, each with the text that is to come of it.
struct HTMLFixture: Sendable, CustomTestStringConvertible {
    let name: String
    let html: String
    let text: String
    var title: String?
    var testDescription: String { name }

    init(_ name: String, _ html: String, _ text: String, title: String? = nil) {
        self.name = name
        self.html = html
        self.text = text
        self.title = title
    }
}

enum HTMLFixtures {
    static let all = articles + tables + lists + broken + codes

    static let articles = [
        HTMLFixture(
            "a blog post",
            """
            <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Blog Post &mdash; Example</title>
            <style>body { color: red }</style><script>var a = "<p>no</p>";</script></head>
            <body><nav><ul><li><a href="/">Home</a></li></ul></nav>
            <article><header><h1>Blog Post</h1><p>By <a href="/people/ann">Ann</a>, 3&nbsp;June</p></header>
            <p>First   paragraph
            over two lines.</p><p>Second &amp; last: 5 &lt; 6 &eacute; &#8364; &#x1F600;.</p></article>
            <noscript>Turn JavaScript on</noscript><template><p>later</p></template></body></html>
            """,
            """
            # Blog Post

            By Ann (https://example.com/people/ann), 3 June

            First paragraph over two lines.

            Second & last: 5 < 6 é € 😀.
            """,
            title: "Blog Post — Example"
        ),
        HTMLFixture(
            "headings of every level",
            "<h1>One</h1><h2>Two</h2><h3>Three <em>b</em></h3><h4>Four</h4><h5>Five</h5><h6>Six</h6>x",
            "# One\n\n## Two\n\n### Three b\n\n#### Four\n\n##### Five\n\n###### Six\n\nx",
            title: "One"
        ),
        HTMLFixture(
            "divs instead of paragraphs",
            "<div>One<div>Two</div>Three</div><div></div><div> </div><div>Four</div>",
            "One\n\nTwo\n\nThree\n\nFour"
        ),
        HTMLFixture("line breaks", "<p>One<br>Two<br/>\nThree</p>", "One\nTwo\nThree"),
        HTMLFixture(
            "inline elements keep their spaces",
            "<p>a<b>b</b> <i> c </i>d<span>\n</span>e</p>",
            "ab c d e"
        ),
        HTMLFixture(
            "what is hidden stays so",
            """
            <p hidden>a</p><p style="DISPLAY : none">b</p><p aria-hidden="true">c</p><div style="visibility:hidden">d</div>
            <p>shown</p><body style="display:none"><p>also</p>
            """,
            "shown\n\nalso"
        ),
        HTMLFixture(
            "navigation and buttons go, the footer stays",
            "<div role=navigation>menu</div><button>Buy</button><main>text</main><footer>© 2025</footer>",
            "text\n\n© 2025"
        ),
        HTMLFixture("a page that is only navigation", "<nav><a href='/a'>A</a></nav>", "A (https://example.com/a)"),
        HTMLFixture("a quotation", "<blockquote><p>One</p><p>Two</p></blockquote><p>x</p>", "> One\n\n> Two\n\nx"),
        HTMLFixture("a rule", "<p>a</p><hr><p>b</p>", "a\n\n---\n\nb"),
        HTMLFixture(
            "pictures by their description",
            "<p>See <img src=a.png alt='the chart'> and <img src=b.png alt=''>.</p>",
            "See [image: the chart] and ."
        ),
        HTMLFixture(
            "a title within a drawing is none",
            "<svg><title>icon</title></svg><title> The\n title </title><p>x",
            "x",
            title: "The title"
        ),
    ]

    static let tables = [
        HTMLFixture(
            "a table of data",
            """
            <table><caption>Sales</caption><thead><tr><th>Year<th>Units</tr></thead>
            <tbody><tr><td>2024</td><td>1,200</td></tr><tr><td>2025<td><b>1,500</b> <i>est.</i></tr></tbody></table><p>x</p>
            """,
            "Sales\n\nYear | Units\n2024 | 1,200\n2025 | 1,500 est.\n\nx"
        ),
        HTMLFixture(
            "empty cells keep their place",
            "<table><tr><td>a<td><td>c<td></tr><tr><td><td>b</tr></table>",
            "a |  | c\n | b"
        ),
        HTMLFixture(
            "lines within a cell",
            "<table><tr><td>a<br>b<td>c</tr></table>",
            "a b | c"
        ),
        HTMLFixture(
            "a table that makes a layout",
            """
            <table><tr><td><h2>Left</h2><p>One</p><p>Two</p></td><td><p>Right</p></td></tr></table>
            """,
            "## Left\n\nOne\n\nTwo\n\nRight",
            title: "Left"
        ),
        HTMLFixture(
            "a table in a table",
            "<table><tr><td>x<td><table><tr><td>1<td>2</tr><tr><td>3<td>4</tr></table></td></tr></table>",
            "x | 1 | 2 3 | 4"
        ),
        HTMLFixture("rows without a table", "<tr><td>a</td><td>b</td></tr>", "a\n\nb"),
    ]

    static let lists = [
        HTMLFixture(
            "lists in lists",
            "<ul><li>One<ol start=3><li>Three</li><li>Four</ol></li><li>Two</ul><p>x",
            "- One\n  3. Three\n  4. Four\n- Two\n\nx"
        ),
        HTMLFixture("items without ends", "<ul><li>a<li>b<li>c", "- a\n- b\n- c"),
        HTMLFixture(
            "paragraphs in items",
            "<ol><li><p>One</p><p>more</p></li><li><p>Two</p></li></ol>",
            "1. One\n\n   more\n\n2. Two"
        ),
        HTMLFixture(
            "terms and what they mean",
            "<dl><dt>SSRF<dd>a forged request<dt>TLS<dd>secrecy<br>and proof</dl>",
            "SSRF\n: a forged request\n\nTLS\n: secrecy\n  and proof"
        ),
        HTMLFixture(
            "links of all kinds",
            """
            <base href="/docs/"><p><a href="a?b=1&amp;c=2#d">rel</a> <a href="//other.example/x">other</a>
            <a href="#top">top</a> <a href="javascript:x()">js</a> <a href="mailto:a@b.example">mail</a>
            <a href="https://example.com/full">https://example.com/full</a> <a href="/e"></a><a name=n>anchor</a></p>
            """,
            """
            rel (https://example.com/docs/a?b=1&c=2) other (https://other.example/x) top js mail https://example.com/full \
            anchor
            """
        ),
    ]

    static let codes = [
        HTMLFixture(
            "code keeps its form",
            "<p>Use <code>let  x</code> here:</p><pre><code>if a {\n\tb()\n}\n</code></pre><p>x</p>",
            "Use `let x` here:\n\n```\nif a {\n\tb()\n}\n```\n\nx"
        ),
        HTMLFixture("code with fences in it", "<pre>a\n```\nb</pre>", "````\na\n```\nb\n````"),
        HTMLFixture("coloured code", "<pre><span>a</span> <b>b</b><br>c</pre>", "```\na b\nc\n```"),
        HTMLFixture("code in an item", "<ul><li>x<pre>a\nb</pre></ul>", "- x\n\n  ```\n  a\n  b\n  ```"),
    ]

    static let broken = [
        HTMLFixture("no markup at all", "Just  words\n\nand more", "Just words and more"),
        HTMLFixture("nothing", "", ""),
        HTMLFixture("only a script", "<script>alert('text')</script><style>p{}</style>", ""),
        HTMLFixture("ends in the middle", "<p>a</p><p>b <b>c</b> <a href=\"/x", "a\n\nb c"),
        HTMLFixture("wrong order of ends", "<p><b>a<i>b</b>c</i></p></div><p>d", "abc\n\nd"),
        HTMLFixture(
            "unknown elements and comments",
            "<my-card>a <!-- <p>no</p> --><x:y>b</x:y></my-card><?php echo 1 ?>",
            "a b"
        ),
        HTMLFixture(
            "soft hyphens and marks without width",
            "Schiff\u{AD}fahrt a\u{200B}b \u{FEFF}c\u{7F}",
            "Schifffahrt ab c"
        ),
        HTMLFixture("entities without an end", "<p>a &amp b &copy c &nosuch; &#65 d", "a &amp b &copy c &nosuch; A d"),
    ]
}
