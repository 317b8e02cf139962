private import FoundationEssentials

/// An HTTPS URL of a caller that we may post to, as far as its text tells. Where its name leads is checked at each use.
package struct GuardedURL: Sendable, Equatable {
    package let text: String
    /// A host name, or an address without brackets.
    package let host: String
    package let port: Int

    /// Why a URL is refused, in words for its owner.
    package struct Refusal: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter text: at most 2048 characters; https, port 443 or above 1023, no credentials and no fragment.
    /// - Throws: ``Refusal``, which never holds the URL itself.
    package init(_ text: String, guard addresses: AddressGuard) throws(Refusal) {
        guard text.utf8.count <= 2048, let parts = URLComponents(string: text), let scheme = parts.scheme,
            let written = parts.host, !written.isEmpty
        else { throw Refusal(description: "url must be an absolute URL of at most 2048 characters") }
        guard scheme.lowercased() == "https" else { throw Refusal(description: "url must use https") }
        guard parts.user == nil, parts.password == nil, parts.fragment == nil else {
            throw Refusal(description: "url must hold no credentials and no fragment")
        }
        let port = parts.port ?? 443
        guard port == 443 || (1024...65_535).contains(port) else {
            throw Refusal(description: "url must use port 443 or one from 1024 to 65535")
        }
        let host = written.filter { $0 != "[" && $0 != "]" }.lowercased()
        guard Self.mayBePublic(host, addresses) else { throw Refusal(description: "url must lead to a public address") }
        self.text = text
        self.host = host
        self.port = port
    }

    private static func mayBePublic(_ host: String, _ addresses: AddressGuard) -> Bool {
        if let address = NetworkAddress(host) { return addresses.permits(address) }
        // Plain names only: what we resolve and what the client connects to must be the same text.
        guard host.utf8.allSatisfy({ isNamePart($0) }) else { return false }
        let labels = host.split(separator: ".")
        guard labels.count >= 2, let last = labels.last, let first = last.utf8.first else { return false }
        // `127.1` and `0x7f.1` are addresses to a resolver.
        guard !(48...57).contains(first) else { return false }
        return !["localhost", "local", "internal", "home", "lan", "arpa"].contains(String(last))
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 46
    }
}
