package import Domain

/// Whether a task may ask colleagues before it writes (engine 3.9). Pure.
///
/// A task asks once, and who is asked asks nobody: no loop can form, and no text in the material can make work for more
/// than two.
package struct DelegationRule: Sendable {
    package let task: PlannedTask
    /// Part of the document is written.
    package let hasDraft: Bool
    /// Whose model writes.
    package let provider: String
    /// The operator's switch.
    package let isOn: Bool

    package init(_ task: PlannedTask, hasDraft: Bool, provider: String, isOn: Bool) {
        self.task = task
        self.hasDraft = hasDraft
        self.provider = provider
        self.isOn = isOn
    }

    /// What a step's prompt says about asking.
    package enum Offer: Sendable, Hashable {
        case none
        case offered
        /// The task has asked in vain: why, and that the document comes now.
        case refused(String)
    }

    package var offer: Offer {
        if let why = task.refused { return .refused(why) }
        return refusal == nil ? .offered : .none
    }

    /// Why the task may not ask, in words for the model; nil where it may.
    package var refusal: String? {
        if task.askedBy != nil { return "who answers a colleague asks nobody" }
        if task.asked != nil { return "the task has asked already, and the answers are there" }
        if task.rerun != nil { return "a document that is made anew asks nobody" }
        if hasDraft { return "the document is begun already" }
        if !isOn { return "asking colleagues is switched off" }
        return provider == ModelProvider.offline ? "there is no language model to ask" : nil
    }

    /// Why a request fails that the budget cannot bear.
    package static let noRoom = "the budget has no room for it"

    /// Whether answers can be paid for without taking the money of documents: as much as this call set aside must be
    /// left for each question and for each task that is not written yet.
    ///
    /// - Parameters:
    ///   - left: of the budget, after this call's cost.
    ///   - reservation: what this call set aside.
    ///   - openTasks: tasks that are not written yet, this one included.
    package static func hasRoom(
        left: NanoUSD,
        reservation: NanoUSD,
        openTasks: Int,
        questions: Int
    ) -> Bool {
        NanoUSD(nanos: reservation.nanos * Int64(openTasks + questions)) <= left
    }
}
