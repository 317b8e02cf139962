/// What a job shares with others of its tenant and queue of which only so many may run at once: an endpoint, a host, an account.
package struct ConcurrencyKey: Sendable, Hashable {
    /// Any text of 1 to 200 bytes without NUL.
    package let text: String
    /// How many may run at once; 0 is no cap. A limit that an operator set goes before it.
    package let limit: Int

    /// Names the key.
    package init(_ text: String, limit: Int) {
        self.text = text
        self.limit = max(0, limit)
    }

    /// - Throws: ``EnqueueError`` where the ledger would refuse the text.
    func check(_ kind: String) throws(EnqueueError) {
        guard (1...200).contains(text.utf8.count), !text.utf8.contains(0) else {
            throw EnqueueError(
                "the concurrency key of a \(kind) has \(text.utf8.count) bytes: it must have 1 to 200, and no NUL"
            )
        }
    }

    /// How the ledger's `per_key || ':' || concurrency_key` is read.
    init?(ledger text: String) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), let limit = Int(text[..<colon]) else {
            return nil
        }
        self.init(String(text[text.utf8.index(after: colon)...]), limit: limit)
    }
}

/// What Redis remembers of a job: whose it is and how urgent, and the key that it shares with others. `places.lua` has the form.
struct JobRecord: Sendable, Hashable {
    let tenant: String
    let dispatchClass: Int
    /// Nil also where it was read from Redis: who hands an id back need not know its key.
    let key: ConcurrencyKey?

    private static let end = UInt8(0x1F)
    private static let part = UInt8(0x1E)

    init(tenant: String, dispatchClass: Int, key: ConcurrencyKey? = nil) {
        self.tenant = tenant
        self.dispatchClass = dispatchClass
        self.key = key
    }

    init?(_ text: String) {
        guard let digit = text.last?.wholeNumberValue, text.utf8.dropLast().last == Self.end else { return nil }
        let owner = text.utf8.dropLast(2)
        self.init(tenant: String(Substring(owner.prefix { $0 != Self.part })), dispatchClass: digit)
    }

    var text: String {
        guard let key else { return "\(tenant)\u{1F}\(dispatchClass)" }
        return "\(tenant)\u{1E}\(key.limit)\u{1E}\(Self.escaped(key.text))\u{1F}\(dispatchClass)"
    }

    /// A key as Redis is told it: the two bytes that divide a record do not occur in it.
    static func escaped(_ key: String) -> String {
        guard key.utf8.contains(where: { $0 == end || $0 == part || $0 == UInt8(ascii: "%") }) else { return key }
        return key.replacing("%", with: "%25").replacing("\u{1E}", with: "%1E").replacing("\u{1F}", with: "%1F")
    }
}
