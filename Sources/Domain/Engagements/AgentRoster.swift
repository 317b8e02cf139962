/// A member of the crew. The slug is the identity; analytics shows role and department (contract E-53).
package struct CrewAgent: Sendable, Hashable {
    /// How strong a model the agent is given by default (engine 3.5).
    package enum Tier: String, Codable, Sendable, CaseIterable {
        case small, mid, large, observer
    }

    package let slug: String
    package let role: String
    package let department: String
    package let tier: Tier
    /// What the agent's documents are judged by where the task does not say; nil for the observer, who writes none.
    package let rubric: Rubric?
}

/// The default crew (engine 6.1). Tenants may change an agent's words and model, never its slug.
package enum AgentRoster {
    /// Everybody, in the order of the table.
    package static let all: [CrewAgent] = [
        agent("chief_strategist", "Chief Strategist", "Strategy", .large, .strategic),
        agent("engagement_manager", "Engagement Manager", "Delivery", .small, .operational),
        agent("research_intelligence_analyst", "Research Intelligence Analyst", "Research", .small, .analytical),
        agent("market_insights_analyst", "Market Insights Analyst", "Research", .small, .analytical),
        agent("competitive_intelligence_analyst", "Competitive Intelligence Analyst", "Research", .small, .analytical),
        agent("customer_insights_analyst", "Customer Insights Analyst", "Research", .small, .analytical),
        agent("quantitative_data_analyst", "Quantitative Data Analyst", "Analytics", .small, .quantitative),
        agent("financial_modeling_analyst", "Financial Modeling Analyst", "Finance", .mid, .quantitative),
        agent("pricing_strategist", "Pricing Strategist", "Revenue", .mid, .strategic),
        agent("sales_enablement_lead", "Sales Enablement Lead", "Revenue", .mid, .operational),
        agent("brand_strategist", "Brand Strategist", "Marketing", .mid, .strategic),
        agent("digital_marketing_strategist", "Digital Marketing Strategist", "Marketing", .mid, .strategic),
        agent("content_strategist", "Content Strategist", "Marketing", .mid, .writing),
        agent("product_strategist", "Product Strategist", "Product", .mid, .strategic),
        agent("operations_consultant", "Operations Consultant", "Operations", .mid, .operational),
        agent("technology_architect", "Technology Architect", "Technology", .mid, .technical),
        agent("risk_compliance_analyst", "Risk and Compliance Analyst", "Risk", .small, .risk),
        agent("change_management_lead", "Change Management Lead", "People", .mid, .operational),
        agent("executive_writer", "Executive Writer", "Editorial", .large, .writing),
        agent("quality_observer", "Quality Observer", "Quality", .observer, nil),
    ]

    /// Who may be given a task: everybody but the observer, who only scores.
    package static let assignable = Set(all.filter { $0.tier != .observer }.map(\.slug))

    private static let bySlug = Dictionary(uniqueKeysWithValues: all.map { ($0.slug, $0) })

    /// The agent of a slug; nil where the crew has none of that name.
    package static func agent(_ slug: String) -> CrewAgent? { bySlug[slug] }

    private static func agent(
        _ slug: String,
        _ role: String,
        _ department: String,
        _ tier: CrewAgent.Tier,
        _ rubric: Rubric?
    ) -> CrewAgent {
        CrewAgent(slug: slug, role: role, department: department, tier: tier, rubric: rubric)
    }
}
