import Domain
import Testing

@Suite("Addresses that a caller's URL may lead to")
struct AddressGuardTests {
    @Test(
        "Addresses of our own network, of documentation and of no one are refused",
        arguments: [
            "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
            "172.31.255.255", "192.0.2.1", "192.168.0.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255",
            "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "fe80::1", "fc00::1",
            "fd12::1", "ff02::1", "2001:db8::1", "2001::1", "2002:7f00:1::", "::7f00:1",
        ]
    )
    func refused(text: String) throws {
        #expect(!AddressGuard().permits(try #require(NetworkAddress(text))))
    }

    @Test(
        "Public addresses pass, also inside IPv6",
        arguments: ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
    )
    func permitted(text: String) throws {
        #expect(AddressGuard().permits(try #require(NetworkAddress(text))))
    }

    @Test("A range that is let through is, and its neighbour is not")
    func allowed() throws {
        let own = AddressGuard(allowing: [try #require(AddressRange("127.0.0.2/32"))])
        #expect(own.permits(try #require(NetworkAddress("127.0.0.2"))))
        #expect(!own.permits(try #require(NetworkAddress("127.0.0.3"))))
    }

    @Test("What is no range is none", arguments: ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "x/8", "10.0.0/8"])
    func noRange(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test(
        "A URL that is not https, holds credentials or names an inner place is refused",
        arguments: [
            "", "nonsense", "http://example.com/", "https://user:secret@example.com/", "https://example.com/#x",
            "https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://127.1/", "https://2130706433/",
            "https://0x7f.0.0.1/", "https://a.0x7f/", "https://printer.local/", "https://example.com:22/", "https:///x",
        ]
    )
    func refusedURL(text: String) {
        #expect(throws: GuardedURL.Refusal.self) { try GuardedURL(text, guard: AddressGuard()) }
    }

    @Test("A usual URL passes, with its host in lower case")
    func url() throws {
        let url = try GuardedURL("https://Hooks.Example.com:8443/a?b=c", guard: AddressGuard())
        #expect(url.host == "hooks.example.com")
        #expect(url.port == 8443)
    }
}
