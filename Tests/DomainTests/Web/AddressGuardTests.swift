import Domain
import Synchronization
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

    @Test(
        "A-25: an address of this machine itself is refused although it is public, inside IPv6 too, unless it is let through"
    )
    func own() throws {
        let (ours, other) = (try #require(NetworkAddress("8.8.4.4")), try #require(NetworkAddress("8.8.8.8")))
        let machine = OwnAddresses { [ours] }
        let strict = AddressGuard(own: machine)
        #expect(!strict.permits(ours))
        #expect(!strict.permits(try #require(NetworkAddress("::ffff:8.8.4.4"))))
        #expect(!strict.permits(try #require(NetworkAddress("64:ff9b::808:404"))))
        #expect(strict.permits(other))
        let range = try #require(AddressRange("8.8.4.4/32"))
        #expect(AddressGuard(allowing: [range], own: machine).permits(ours))
    }

    @Test("The machine's addresses are read anew after their time, and the last ones stay where they cannot be read")
    func refreshed() throws {
        let address = try #require(NetworkAddress("8.8.4.4"))
        let answers = Mutex<[Set<NetworkAddress>?]>([[], [address], nil])
        let take: @Sendable () -> Set<NetworkAddress>? = {
            answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }
        let fresh = OwnAddresses(lifetime: .zero, readingBy: take)
        #expect(!fresh.contains(address))
        #expect(fresh.contains(address))
        #expect(fresh.contains(address))
        #expect(answers.withLock { $0.isEmpty })
        let lasting = OwnAddresses(lifetime: .seconds(3600)) {
            answers.withLock { $0.append([]) }
            return [address]
        }
        for _ in 0..<3 { #expect(lasting.contains(address)) }
        #expect(answers.withLock { $0.count } == 1)
    }

    @Test("The loopback interface of this machine is among its own addresses")
    func system() throws {
        #expect(OwnAddresses.system.contains(try #require(NetworkAddress("127.0.0.1"))))
        #expect(!OwnAddresses.system.contains(try #require(NetworkAddress("8.8.8.8"))))
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
