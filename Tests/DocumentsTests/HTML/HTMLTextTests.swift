import Documents
import Testing

@Suite("HTML as text")
struct HTMLTextTests {
    @Test("Pages as they are found", arguments: HTMLFixtures.all)
    func fixture(fixture: HTMLFixture) {
        let page = HTMLText(fixture.html, url: "https://example.com/blog/post")
        #expect(page.text == fixture.text)
        #expect(page.title == fixture.title)
        #expect(!page.truncated)
    }

    @Test("Without an address, relative links lose theirs and others keep it")
    func withoutAddress() {
        let page = HTMLText("<a href='/a'>a</a> <a href='https://b.example/'>b</a>")
        #expect(page.text == "a b (https://b.example/)")
    }

    @Test("What a page says about its character set is not asked again")
    func metaIsIgnored() {
        #expect(HTMLText("<meta charset='iso-8859-1'><p>Größe 東京").text == "Größe 東京")
    }
}
