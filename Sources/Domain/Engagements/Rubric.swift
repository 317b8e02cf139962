/// What a document is judged by: five criteria each (engine 6.2). The strings are stored.
package enum Rubric: String, Codable, Sendable, CaseIterable {
    case analytical, writing, strategic, quantitative, operational, technical, risk, creative

    /// The five criteria with their weights in per cent; they add up to 100.
    package var criteria: [(name: String, weight: Int)] {
        switch self {
        case .analytical:
            [("evidence and sources", 30), ("depth", 25), ("logic", 20), ("relevance to brief", 15), ("clarity", 10)]
        case .writing:
            [
                ("structure", 25), ("clarity", 25), ("persuasiveness", 20), ("specificity", 20),
                ("tone for audience", 10),
            ]
        case .strategic:
            [
                ("options and trade-offs", 25), ("fit to goals and constraints", 25),
                ("specificity of recommendations", 25), ("feasibility", 15), ("measures", 10),
            ]
        case .quantitative:
            [
                ("correctness of arithmetic", 35), ("assumptions stated", 25), ("sensitivity", 15),
                ("data sources", 15), ("presentation", 10),
            ]
        case .operational:
            [
                ("actionability", 30), ("ownership and timing", 25), ("completeness", 20), ("resources", 15),
                ("risks", 10),
            ]
        case .technical:
            [
                ("soundness", 30), ("fit to constraints", 25), ("completeness", 20), ("security and risk", 15),
                ("clarity", 10),
            ]
        case .risk:
            [
                ("coverage", 30), ("likelihood and impact", 25), ("mitigations", 25), ("evidence", 10),
                ("clarity", 10),
            ]
        case .creative:
            [
                ("originality", 30), ("fit to brand", 25), ("clarity of concept", 20), ("feasibility", 15),
                ("consistency", 10),
            ]
        }
    }
}
