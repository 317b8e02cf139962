import Domain
import Testing

@Suite("URLs, taken apart")
struct URLPartsTests {
    @Test("What passes is rebuilt from its parts, and reads the same")
    func canonical() throws {
        for (text, canonical) in [
            ("https://example.com", "https://example.com/"), ("HTTP://EXAMPLE.com./a", "http://example.com/a"),
            ("http://1.1.1.1/", "http://1.1.1.1/"),
            ("http://[2606:4700:4700::1111]:8080", "http://[2606:4700:4700::1111]:8080/"),
            ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
            ("http://example.com:8080/a?b=c@d", "http://example.com:8080/a?b=c@d"),
            ("https://a_b.example.org/x#y", "https://a_b.example.org/x"), ("http://a.b:/?q", "http://a.b/?q"),
            ("http://a.b?x", "http://a.b/?x"), ("http://a.b/ü%41%4", "http://a.b/%C3%BC%41%254"),
        ] {
            let parts = try URLParts(text)
            #expect(parts.canonical == canonical)
            #expect(try URLParts(canonical) == URLParts(canonical))
        }
    }

    @Test(
        "What two readers could understand in two ways is refused",
        arguments: [
            ("", URLParts.Fault.syntax), ("example.com", .syntax), ("http:example.com", .syntax),
            ("1http://a.b", .syntax),
            ("http://a.b/ c", .syntax), ("http://a.b\\c", .syntax), ("http://a.b/\u{7F}", .syntax),
            ("javascript:x", .scheme),
            ("http://u:p@a.b/", .credentials), ("http://@a.b/", .credentials), ("http://ä.example/", .host),
            ("http://a%2Eb/", .host), ("http://[::1%25lo]/", .host), ("http://[1.1.1.1]/", .host),
            ("http://[::1/", .syntax),
            ("http://[::1]x/", .syntax), ("http://a.b:x/", .port), ("http://a.b:0/", .port),
            ("http://a.b:65536/", .port),
            ("http://a.b:080800/", .port), ("http://1.2.3/", .host), ("http://a.1/", .host),
            ("http://01.2.3.4/", .host),
        ]
    )
    func refused(text: String, fault: URLParts.Fault) {
        #expect(throws: fault) { try URLParts(text) }
    }

    @Test(
        "References resolve as in RFC 3986, section 5.4",
        arguments: [
            ("g", "http://a.b/b/c/g"), ("./g", "http://a.b/b/c/g"), ("g/", "http://a.b/b/c/g/"), ("/g", "http://a.b/g"),
            ("//g.h", "http://g.h/"), ("?y", "http://a.b/b/c/d;p?y"), ("g?y", "http://a.b/b/c/g?y"),
            ("#s", "http://a.b/b/c/d;p?q"), ("g#s", "http://a.b/b/c/g"), (";x", "http://a.b/b/c/;x"),
            ("", "http://a.b/b/c/d;p?q"),
            (".", "http://a.b/b/c/"), ("..", "http://a.b/b/"), ("../g", "http://a.b/b/g"), ("../..", "http://a.b/"),
            ("../../g", "http://a.b/g"), ("../../../g", "http://a.b/g"), ("g;x=1/../y", "http://a.b/b/c/y"),
            ("g?y/../x", "http://a.b/b/c/g?y/../x"), ("https://c.d/e", "https://c.d/e"),
        ]
    )
    func references(reference: String, expected: String) throws {
        let base = try URLParts("http://a.b/b/c/d;p?q")
        #expect(try base.resolving(reference).canonical == expected)
    }

    @Test("A page is an attachment named by its host and path")
    func document() {
        let page = FetchedPage(
            title: "Blog \"Post\"",
            text: "Words",
            contentType: "text/html",
            truncated: false,
            finalURL: ""
        )
        let time = Timestamp(microseconds: 1_748_773_800_000_000)
        let document = PageDocument(page, asked: "https://Example.com:8443/blog/post?secret=1#x", at: time)
        #expect(document.filename == "example.com_blog_post.md")
        #expect(document.summary == "Fetched from example.com: Blog \"Post\"")
        #expect(
            document.text == """
                ---
                source: https://example.com:8443/blog/post?secret=1
                title: "Blog \\"Post\\""
                fetched_at: 2025-06-01T10:30:00.000Z
                content_type: text/html
                truncated: false
                ---

                Words

                """
        )
        let untitled = FetchedPage(title: nil, text: "x", contentType: "text/plain", truncated: true, finalURL: "")
        for (url, name) in [
            ("https://example.com/", "example.com.md"),
            ("https://example.com/a%20b/ü.html", "example.com_a_b___.html.md"),
            ("http://[2606:4700::1]/x", "2606_4700__1_x.md"),
            ("https://e.example/" + String(repeating: "a", count: 500), nil),
        ] {
            let made = PageDocument(untitled, asked: url, at: time)
            if let name { #expect(made.filename == name) }
            #expect(made.filename.count <= 120)
            #expect(made.text.contains("title: null\n"))
        }
        #expect(PageDocument(untitled, asked: "https://e.example/", at: time).summary == "Fetched from e.example")
    }
}
