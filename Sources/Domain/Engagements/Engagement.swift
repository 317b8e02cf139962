/// A consulting project: a brief, a budget, and the deliverables its runs have written.
package struct Engagement: Sendable {
    package typealias ID = Domain.ID<Engagement>

    /// `pending → running → completed`, with `paused` and `failed` on the way (contract E-60). The strings are stored.
    package enum Status: String, Codable, Sendable, CaseIterable {
        case pending, running, paused, completed, failed
    }

    package let id: ID
    package let tenant: Tenant.ID
    package let name: String
    package let client: String
    package let slug: String
    package let brief: String
    package let budget: NanoUSD
    /// As the caller sent them, unknown keys included.
    package let tasks: JSON
    package let status: Status
    package let createdAt: Timestamp

    package init(
        id: ID,
        tenant: Tenant.ID,
        name: String,
        client: String,
        slug: String,
        brief: String,
        budget: NanoUSD,
        tasks: JSON,
        status: Status,
        createdAt: Timestamp
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.client = client
        self.slug = slug
        self.brief = brief
        self.budget = budget
        self.tasks = tasks
        self.status = status
        self.createdAt = createdAt
    }

    /// Lower case, runs of other characters become one dash, at most 80 characters; `engagement` where nothing is left
    /// (contract E-7, decision D-32).
    package static func slug(of name: String) -> String {
        var slug = ""
        var gap = false
        for byte in name.lowercased().utf8 {
            let plain =
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            guard plain else {
                gap = true
                continue
            }
            if gap, !slug.isEmpty { slug += "-" }
            gap = false
            slug.unicodeScalars.append(Unicode.Scalar(byte))
            if slug.utf8.count >= 80 { break }
        }
        return slug.isEmpty ? "engagement" : slug
    }
}
