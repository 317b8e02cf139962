package import FoundationEssentials

/// What Stripe says has happened (Stripe API, "The Event object"), of any API version: only these members are used.
package struct StripeEvent: Sendable, Equatable {
    package let id: String
    package let type: String
    /// Seconds since 1970. Stripe's clock ticks once a second, so two events of one object may share it.
    package let created: Int
    package let isLive: Bool
    package let apiVersion: String?
    /// The object it is about, as it was then.
    package let object: JSON

    /// - Parameter payload: the request's body, as it was signed.
    /// - Returns: nil where it is no JSON object with a text `id` and `type`.
    package init?(payload: Data) {
        guard let json = try? JSON(parsing: payload) else { return nil }
        self.init(json)
    }

    package init?(_ json: JSON) {
        guard let id = json["id"]?.stringValue, let type = json["type"]?.stringValue,
            (1...255).contains(id.utf8.count), (1...255).contains(type.utf8.count)
        else { return nil }
        self.id = id
        self.type = type
        created = min(max(0, json["created"]?.intValue ?? 0), 99_999_999_999)
        isLive = json["livemode"]?.boolValue ?? false
        apiVersion = json["api_version"]?.stringValue
        object = json["data"]?["object"] ?? .null
    }

    /// Events of one object are processed one at a time; those that name none wait for nobody.
    package var objectID: String { String((object["id"]?.stringValue ?? id).prefix(255)) }
}
