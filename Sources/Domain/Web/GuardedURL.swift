/// A URL of a caller that we may talk to, as far as its text tells. Where its name leads is checked at each use.
package struct GuardedURL: Sendable, Equatable {
    package let text: String
    package let parts: URLParts
    /// A host name, or an address without brackets.
    package var host: String { parts.host }
    package var port: Int { parts.effectivePort }

    /// What a URL is for decides about its scheme and its port.
    package enum Use: Sendable {
        /// Events are posted to it: https, port 443 or above 1023, no fragment.
        case webhook
        /// A page is fetched from it: http or https, ports 80, 443, 8080 and 8443 (decision D-47).
        case page
    }

    /// Why a URL is refused, in words for its owner.
    package struct Refusal: Error, Equatable, CustomStringConvertible {
        package let reason: Reason
        package let description: String
    }

    package enum Reason: String, Sendable {
        case syntax, scheme, credentials, host, port
        /// It leads to what is not public.
        case address

        /// What somebody tries who looks for a way inside, rather than mistypes.
        package var isProbe: Bool { [.host, .port, .address].contains(self) }
    }

    /// - Parameters:
    ///   - text: at most 2048 bytes, absolute, without credentials.
    ///   - use: what it is for.
    ///   - addresses: says whether an address in the place of a name may be talked to. One that is let through although it
    ///     is not public may have any port.
    /// - Throws: ``Refusal``, which never holds the URL itself.
    package init(_ text: String, for use: Use = .webhook, guard addresses: AddressGuard) throws(Refusal) {
        do {
            try self.init(URLParts(text), text, for: use, guard: addresses)
        } catch let fault as URLParts.Fault {
            throw Self.refusal(fault, use)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Self.refusal(.syntax, use)
        }
    }

    /// Where a redirect leads, checked like any other.
    ///
    /// - Parameter location: as the server wrote it, absolute or relative.
    package func following(_ location: String, guard addresses: AddressGuard) throws(Refusal) -> GuardedURL {
        do {
            let parts = try parts.resolving(location)
            return try GuardedURL(parts, parts.canonical, for: .page, guard: addresses)
        } catch let fault as URLParts.Fault {
            throw Self.refusal(fault, .page)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Self.refusal(.syntax, .page)
        }
    }

    private init(
        _ parts: URLParts,
        _ text: String,
        for use: Use,
        guard addresses: AddressGuard
    ) throws(Refusal) {
        let address = NetworkAddress(parts.host)
        guard address.map(addresses.permits) ?? Self.mayBePublic(parts.host) else {
            throw Refusal(reason: .address, description: "url must lead to a public address")
        }
        if use == .webhook, parts.scheme != "https" { throw Self.refusal(.scheme, use) }
        if use == .webhook, parts.fragment != nil {
            throw Refusal(reason: .syntax, description: "url must hold no credentials and no fragment")
        }
        guard address.map(addresses.isLetThrough) ?? false || Self.isUsual(parts.effectivePort, use) else {
            throw Self.refusal(.port, use)
        }
        self.text = text
        self.parts = parts
    }

    private static func isUsual(_ port: Int, _ use: Use) -> Bool {
        switch use {
        case .webhook: port == 443 || port >= 1024
        case .page: [80, 443, 8080, 8443].contains(port)
        }
    }

    private static func refusal(_ fault: URLParts.Fault, _ use: Use) -> Refusal {
        let isPage = use == .page
        return switch fault {
        case .syntax:
            Refusal(reason: .syntax, description: "url must be an absolute URL of at most 2048 characters")
        case .scheme:
            Refusal(reason: .scheme, description: isPage ? "url must use http or https" : "url must use https")
        case .credentials:
            Refusal(
                reason: .credentials,
                description: "url must hold no credentials\(isPage ? "" : " and no fragment")"
            )
        case .host:
            Refusal(
                reason: .host,
                description: "url must name its host plainly: a domain name (international ones as xn--…) or an address"
            )
        case .port:
            Refusal(
                reason: .port,
                description: isPage
                    ? "url must use port 80, 443, 8080 or 8443" : "url must use port 443 or one from 1024 to 65535"
            )
        }
    }

    /// A name of one label belongs to somebody's own network, and so do these domains.
    private static func mayBePublic(_ host: String) -> Bool {
        let labels = host.split(separator: ".")
        guard labels.count >= 2, let last = labels.last else { return false }
        return !inner.contains(String(last))
    }

    private static let inner: Set = [
        "localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "onion", "arpa",
    ]
}
