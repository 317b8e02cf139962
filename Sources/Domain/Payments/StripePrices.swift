/// Which price at Stripe buys which plan (`GC_STRIPE_PRICES`).
package struct StripePrices: Sendable, Equatable {
    private let plans: [(price: String, plan: Plan)]

    package static let none = StripePrices([])

    package init(_ plans: [(price: String, plan: Plan)]) {
        self.plans = plans
    }

    /// `starter=price_1,professional=price_2,professional=price_3`: a plan may have several, the first is what we sell.
    ///
    /// Nil where an entry is no `plan=price`, or names no plan of ours.
    package init?(_ text: String) {
        var plans: [(price: String, plan: Plan)] = []
        for entry in text.split(separator: ",") {
            let parts = entry.split(separator: "=", maxSplits: 1).map { $0.filter { !$0.isWhitespace } }
            guard parts.count == 2, !parts[1].isEmpty, let plan = Plan(rawValue: parts[0]) else { return nil }
            plans.append((price: parts[1], plan: plan))
        }
        self.init(plans)
    }

    /// What a plan is sold as.
    package func price(of plan: Plan) -> String? { plans.first { $0.plan == plan }?.price }

    /// The highest plan among a subscription's items: by the price's id, else its `lookup_key`, else its metadata's
    /// `plan`.
    ///
    /// - Parameter subscription: Stripe's object, of any API version: old ones have a `plan` for each price.
    package func plan(of subscription: JSON) -> Plan? {
        let found = Self.prices(in: subscription).compactMap(plan(ofPrice:))
        return Plan.allCases.last { found.contains($0) }
    }

    private func plan(ofPrice price: JSON) -> Plan? {
        if let id = price["id"]?.stringValue, let known = plans.first(where: { $0.price == id }) { return known.plan }
        if let key = price["lookup_key"]?.stringValue, let plan = Plan(rawValue: key) { return plan }
        return price["metadata"]?["plan"]?.stringValue.flatMap(Plan.init(rawValue:))
    }

    private static func prices(in subscription: JSON) -> [JSON] {
        let items = subscription["items"]?["data"]?.arrayValue ?? []
        let own = subscription["plan"].map { [$0] } ?? []
        return (items.flatMap { [$0["price"], $0["plan"]].compactMap { $0 } } + own).filter { $0.objectValue != nil }
    }

    /// The ids of a subscription's prices, for texts.
    package static func names(in subscription: JSON) -> [String] {
        var names: [String] = []
        for name in prices(in: subscription).compactMap({ $0["id"]?.stringValue }) where !names.contains(name) {
            names.append(name)
        }
        return names
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.plans.elementsEqual(right.plans) { $0.price == $1.price && $0.plan == $1.plan }
    }
}
