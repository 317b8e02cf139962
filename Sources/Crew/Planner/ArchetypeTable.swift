extension Archetype {
    /// Every archetype that words can win; `general` is what is left.
    static let all: [Archetype] = [
        goToMarket, digitalPresence, marketEntry, competitiveReview, operations, technology, businessCase, pricing,
        product, organisation,
    ]

    static let goToMarket = Archetype(
        name: "go_to_market",
        triggers: [
            ("go-to-market", 4), ("gtm", 4), ("route to market", 3), ("launch", 2), ("channel", 2), ("b2b", 2),
            ("saas", 2), ("lead generation", 2), ("customer acquisition", 2), ("ideal customer", 2), ("sales", 1),
        ],
        research: [.marketAnalysis, .competitorLandscape.starred],
        core: [.customerSegments, .channelPlan, .pricingAnalysis.starred],
        main: .strategyDocument
    )

    static let digitalPresence = Archetype(
        name: "digital_presence",
        triggers: [
            ("seo", 3), ("brand", 2), ("digital", 2), ("website", 2), ("social", 2), ("presence", 2), ("online", 1),
            ("marketing", 1), ("campaign", 1), ("content", 1),
        ],
        research: [.brandAudit, .competitorLandscape.starred],
        core: [.audienceInsights, .contentPlan.starred],
        main: .digitalStrategy
    )

    static let marketEntry = Archetype(
        name: "market_entry",
        triggers: [
            ("market entry", 4), ("enter", 2), ("expansion", 2), ("expand", 2), ("country", 2), ("international", 2),
            ("abroad", 2), ("overseas", 2), ("export", 2), ("foreign", 1), ("region*", 1),
        ],
        research: [.marketSizing, .regulatoryScan],
        core: [.entryOptions, .entryCase],
        main: .marketEntryStrategy
    )

    static let competitiveReview = Archetype(
        name: "competitive_review",
        triggers: [
            ("benchmark", 3), ("competitor", 2), ("competitive", 2), ("competition", 2), ("positioning", 2),
            ("rival", 2), ("market share", 2), ("differentiat*", 1),
        ],
        research: [.competitorProfiles, .marketAnalysis],
        core: [.positioningMap.starred, .gapAnalysis],
        main: .competitiveStrategy
    )

    static let operations = Archetype(
        name: "operations",
        triggers: [
            ("process", 2), ("efficien*", 2), ("supply", 2), ("operation", 2), ("operational", 2), ("logistic*", 2),
            ("inventory", 2), ("warehouse", 2), ("throughput", 2), ("bottleneck", 2), ("lead time", 2), ("cost", 1),
            ("lean", 1),
        ],
        research: [.processReview, .dataReview],
        core: [.rootCauses, .savingsCase],
        main: .improvementPlan
    )

    static let technology = Archetype(
        name: "technology",
        triggers: [
            ("digital transformation", 4), ("cloud", 3), ("artificial intelligence", 3), ("platform", 2),
            ("migrat*", 2), ("ai", 2), ("architecture", 2), ("legacy", 2), ("erp", 2), ("infrastructure", 2),
            ("cybersecurity", 2), ("data", 1), ("software", 1), ("integration", 1),
        ],
        research: [.currentStateReview, .vendorLandscape.starred],
        core: [.targetArchitecture, .riskRegister],
        main: .technologyRoadmap
    )

    static let businessCase = Archetype(
        name: "business_case",
        triggers: [
            ("business case", 4), ("roi", 3), ("fundrais*", 3), ("valuation", 3), ("npv", 3),
            ("net present value", 3), ("invest*", 2), ("forecast", 2), ("payback", 2), ("budget", 1),
            ("acquisition", 1),
        ],
        research: [.marketAnalysis, .dataReview],
        core: [.financialModel, .sensitivityAnalysis.starred],
        main: .businessCase
    )

    static let pricing = Archetype(
        name: "pricing",
        triggers: [
            ("willingness to pay", 3), ("price", 2), ("=pricing", 2), ("monetis*", 3), ("monetiz*", 3), ("packag*", 2),
            ("discount", 2), ("tariff", 2), ("subscription", 1), ("margin", 1),
        ],
        research: [.customerInsights, .competitorPricing],
        core: [.priceOptions, .revenueImpact],
        main: .pricingStrategy
    )

    static let product = Archetype(
        name: "product",
        triggers: [
            ("mvp", 3), ("product", 2), ("feature", 2), ("roadmap", 2), ("ux", 2), ("discovery", 2), ("usability", 2),
            ("backlog", 2), ("prototype", 2), ("user", 1),
        ],
        research: [.userNeeds, .competitorLandscape.starred],
        core: [.opportunityMap, .feasibilityCheck.starred],
        main: .productStrategy
    )

    static let organisation = Archetype(
        name: "organisation",
        triggers: [
            ("hr", 3), ("restructur*", 3), ("reorgani*", 3), ("change management", 3), ("culture", 2), ("team", 2),
            ("talent", 2), ("hire", 2), ("employee", 2), ("workforce", 2), ("staff", 2), ("change", 1),
            ("leadership", 1),
        ],
        research: [.stakeholderAnalysis, .organisationReview],
        core: [.operatingModel, .changePlan],
        main: .organisationStrategy
    )

    static let general = Archetype(
        name: "general",
        triggers: [],
        research: [.marketAnalysis, .dataReview.starred],
        core: [.optionsAnalysis],
        main: .strategyDocument
    )
}
