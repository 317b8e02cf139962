package import Domain

/// What a run will do, in an order in which every task comes after its dependencies' places in the graph.
package struct CrewPlan: Sendable, Hashable {
    package var tasks: [PlannedTask]
    /// The kind of engagement the brief was taken for; nil where the caller gave the tasks.
    package var archetype: String?
    /// Words of the brief that decided it.
    package var matched: [String]
    /// Tasks left out because of the budget or the cap.
    package var dropped: [String]
    package var estimate: PlanEstimate

    /// One line for the run's log (engine 6.3, step 6).
    package func log(budget: NanoUSD) -> String {
        var line = "Plan: "
        if let archetype {
            line += archetype + (matched.isEmpty ? "" : " (matched \(matched.joined(separator: ", ")))") + ", "
        }
        line += tasks.count == 1 ? "1 task" : "\(tasks.count) tasks"
        if archetype == nil { line += " as given" }
        line += ": \(tasks.map(\.id).joined(separator: ", "))"
        if !dropped.isEmpty { line += "; left out: \(dropped.joined(separator: ", "))" }
        line += "; estimated $\(estimate.expected.exact), at most $\(estimate.worst.exact)"
        return line + " of $\(budget.cents) budget"
    }

    /// Who was given work by whom, and how often: the plan counts as delegation by the chief strategist (engine 3.9).
    package var delegations: [(from: String, to: String, count: Int)] {
        var counts: [String: Int] = [:]
        for task in tasks { counts[task.agentSlug, default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { (from: "chief_strategist", to: $0.key, count: $0.value) }
    }
}

/// What a plan costs: what is likely, and what is reserved if every call takes all it may.
package struct PlanEstimate: Sendable, Hashable {
    package var expected: NanoUSD
    package var worst: NanoUSD

    package init(expected: NanoUSD, worst: NanoUSD) {
        self.expected = expected
        self.worst = worst
    }
}

extension NanoUSD {
    /// `0.0544`: at least two decimals, no more than are needed, exact.
    package var exact: String {
        let magnitude = nanos.magnitude
        var digits = String(magnitude % 1_000_000_000)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.count > 2, digits.last == "0" { digits.removeLast() }
        return (nanos < 0 ? "-" : "") + "\(magnitude / 1_000_000_000).\(digits)"
    }
}
