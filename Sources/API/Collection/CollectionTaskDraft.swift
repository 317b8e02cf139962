import Domain
import Stores

extension CollectionTaskStore.Draft {
    /// Reads what a buyer sends (contract T-10, T-12, T-14).
    ///
    /// - Throws: 400 with all faults of the body, each with its path.
    init(_ body: [String: JSON]) throws {
        var fields = FieldReader(body)
        let title = fields.text("title", CollectionTask.Limits.title)
        let instructions = fields.text("instructions", CollectionTask.Limits.instructions)
        let modalities = Self.modalities(&fields)
        let reward = fields.integer("reward_cents", CollectionTask.Limits.rewardCents)
        let target = fields.integer("target_submissions", CollectionTask.Limits.targetSubmissions)
        let example = Self.exampleMediaKey(&fields)
        if let reward, let target, reward * target > CollectionTask.Limits.budgetCents {
            fields.fault(
                "target_submissions",
                "times reward_cents must not exceed \(CollectionTask.Limits.budgetCents)"
            )
        }
        guard fields.faults.isEmpty, let title, let instructions, let modalities, let reward, let target else {
            throw APIError.faults(fields.faults)
        }
        self.init(
            title: title,
            instructions: instructions,
            modalities: modalities,
            rewardCents: reward,
            targetSubmissions: target,
            exampleMediaKey: example
        )
    }

    private static func modalities(_ fields: inout FieldReader) -> [String]? {
        guard let value = fields["modalities"] else { return ["video"] }
        guard let items = value.arrayValue, !items.isEmpty else {
            fields.fault("modalities", #"must be an array that holds "video""#)
            return nil
        }
        for (index, item) in items.enumerated()
        where item.stringValue.map(CollectionTask.Limits.modalities.contains) != true {
            fields.fault("modalities[\(index)]", #"must be "video": nothing else is enabled"#)
        }
        return Set(items.compactMap(\.stringValue)).sorted()
    }

    private static func exampleMediaKey(_ fields: inout FieldReader) -> String? {
        let key = fields.optionalText("example_media_key", CollectionTask.Limits.exampleMediaKey)
        if let key, key.contains("..") { fields.fault("example_media_key", "must not contain \"..\"") }
        return key
    }
}
