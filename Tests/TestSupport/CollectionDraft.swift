package import Domain

/// Bodies of `POST /api/v1/tasks`, good and bad (contract T-10 to T-14, scenario SC-25).
package enum CollectionDraft {
    /// The members of a task, in their order.
    package static let members = [
        "id", "org_id", "title", "status", "budget_cents", "funded_cents", "reward_cents", "target_submissions",
        "approved_count", "modalities", "device_requirement", "funding_url", "created_at", "updated_at",
        "instructions", "example_media_key",
    ]

    /// A good body with some fields replaced, as JSON text; empty takes the field out.
    package static func body(_ changes: [String: String]) -> String {
        let good = [
            "title": "\"Record a busy street\"", "instructions": "\"Walk any street for 30 s.\"",
            "modalities": "[\"video\"]", "reward_cents": "250", "target_submissions": "100",
        ]
        let fields = good.merging(changes) { $1 }.filter { !$0.value.isEmpty }
        return "{" + fields.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private static func text(_ count: Int) -> String { "\"" + String(repeating: "é", count: count) + "\"" }

    /// Changes that leave a body good.
    package static let good: [[String: String]] = [
        ["title": text(3)], ["title": text(120)], ["instructions": text(10)], ["instructions": text(5000)],
        ["reward_cents": "50"], ["reward_cents": "50000"], ["target_submissions": "1"],
        ["target_submissions": "10000", "reward_cents": "9999"], ["modalities": ""], ["reward_cents": "250.0"],
        ["example_media_key": text(512)], ["example_media_key": "null"], ["surprise": "{\"a\":[1]}"],
    ]

    /// Changes that make a body faulty, and the path that is named.
    package static let bad: [([String: String], String)] = [
        (["title": text(2)], "title"), (["title": text(121)], "title"), (["title": ""], "title"),
        (["title": "null"], "title"), (["title": "5"], "title"), (["instructions": text(9)], "instructions"),
        (["instructions": text(5001)], "instructions"), (["instructions": "[]"], "instructions"),
        (["reward_cents": "49"], "reward_cents"), (["reward_cents": "50001"], "reward_cents"),
        (["reward_cents": "2.5"], "reward_cents"), (["reward_cents": "\"250\""], "reward_cents"),
        (["reward_cents": "true"], "reward_cents"), (["reward_cents": "null"], "reward_cents"),
        (["reward_cents": "1e30"], "reward_cents"), (["reward_cents": ""], "reward_cents"),
        (["target_submissions": "0"], "target_submissions"), (["target_submissions": "-1"], "target_submissions"),
        (["target_submissions": "10001"], "target_submissions"),
        (["target_submissions": "false"], "target_submissions"),
        (["target_submissions": "99999999999999999999"], "target_submissions"),
        (["target_submissions": "10000", "reward_cents": "10000"], "target_submissions"),
        (["modalities": "[\"audio\"]"], "modalities[0]"), (["modalities": "[\"video\",7]"], "modalities[1]"),
        (["modalities": "[]"], "modalities"), (["modalities": "\"video\""], "modalities"),
        (["modalities": "null"], "modalities"), (["example_media_key": "\"a/../b\""], "example_media_key"),
        (["example_media_key": text(513)], "example_media_key"), (["example_media_key": "1"], "example_media_key"),
    ]
}

extension JSON {
    /// The fields that a validation error of data collection names.
    package var faultPaths: [String] {
        let fields = self["error"]?["details"]?["fields"]?.arrayValue ?? []
        return fields.compactMap { $0["path"]?.stringValue }
    }
}
