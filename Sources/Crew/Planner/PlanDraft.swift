import Domain

/// A default plan in the making: the skeleton around an archetype's core (engine 6.3).
struct PlanDraft {
    private(set) var tasks: [PlannedTask]
    private(set) var dropped: [String] = []
    private let firstCore: Int
    private let main: String

    init(_ archetype: Archetype) {
        let brief = PlanTemplate.briefAnalysis
        let research = archetype.research.map { $0.task(after: [brief.id]) }
        let core = archetype.core.map { $0.task(after: research.map(\.id)) }
        let main = archetype.main.task(after: (core.isEmpty ? research : core).map(\.id))
        let roadmap = PlanTemplate.implementationRoadmap.task(after: [main.id])
        let summary = PlanTemplate.executiveSummary.task(after: [main.id, roadmap.id])
        tasks = [brief.task(after: [])] + research + core + [main, roadmap, summary]
        firstCore = 1 + research.count
        self.main = main.id
    }

    /// Puts in what the brief or the attachments demand; what is forced in is not optional.
    mutating func force(wantsPricing: Bool, wantsRisks: Bool, hasData: Bool) {
        if wantsPricing { forceCore(.pricingAnalysis) }
        if wantsRisks { forceCore(.riskRegister) }
        if hasData { forceFirst(.dataReview) }
    }

    private mutating func forceCore(_ template: PlanTemplate) {
        if keep(template.id) { return }
        let research = tasks[1..<firstCore].map(\.id)
        guard let place = tasks.firstIndex(where: { $0.id == main }) else { return }
        tasks.insert(template.task(after: research), at: place)
        tasks[place + 1].dependsOn.append(template.id)
    }

    /// The data is read before anything else, and the brief's analysis and the research build on it.
    private mutating func forceFirst(_ template: PlanTemplate) {
        if let place = tasks.firstIndex(where: { $0.id == template.id }) { tasks.remove(at: place) }
        tasks.insert(template.task(after: []), at: 0)
        tasks[1].dependsOn = [template.id]
    }

    /// Whether the plan has the task already; it may no longer be left out.
    private mutating func keep(_ id: String) -> Bool {
        guard let place = tasks.firstIndex(where: { $0.id == id }) else { return false }
        tasks[place].optional = false
        return true
    }

    /// Takes the last optional task out; what built on it alone builds on what it built on.
    ///
    /// - Returns: whether there was one.
    mutating func dropLast() -> Bool {
        guard let place = tasks.lastIndex(where: \.optional) else { return false }
        let gone = tasks.remove(at: place)
        dropped.append(gone.id)
        for index in tasks.indices where tasks[index].dependsOn.contains(gone.id) {
            tasks[index].dependsOn.removeAll { $0 == gone.id }
            if tasks[index].dependsOn.isEmpty { tasks[index].dependsOn = gone.dependsOn }
        }
        return true
    }
}

extension PlanTemplate {
    func task(after dependencies: [String]) -> PlannedTask {
        PlannedTask(
            id: id,
            title: title,
            description: description,
            agentSlug: agent,
            rubric: rubric,
            dependsOn: dependencies,
            filename: filename ?? PlannedTask.filename(ofTask: id),
            optional: optional
        )
    }
}
