import Domain
import Stores

// The rows of the data-collection document: these keys, in this order (contract T-11, T-17, T-18).

extension CollectionTask {
    var row: OrderedObject {
        [
            "id": .string(id.rawValue), "org_id": .string("org_\(tenant)"), "title": .string(title),
            "status": .string(status.rawValue), "budget_cents": .integer(budgetCents),
            "funded_cents": .integer(fundedCents), "reward_cents": .integer(rewardCents),
            "target_submissions": .integer(targetSubmissions), "approved_count": .integer(approvedCount),
            "modalities": .array(modalities.map(JSON.string)), "device_requirement": .string(deviceRequirement),
            "funding_url": .optional(fundingURL), "created_at": .string(createdAt.seconds),
            "updated_at": .string(updatedAt.seconds), "instructions": .string(instructions),
            "example_media_key": .optional(exampleMediaKey),
        ]
    }

    /// What contributors see: nothing of the buyer.
    var offer: OrderedObject {
        [
            "id": .string(id.rawValue), "title": .string(title), "instructions": .string(instructions),
            "reward_cents": .integer(rewardCents), "modalities": .array(modalities.map(JSON.string)),
            "device_requirement": .string(deviceRequirement),
        ]
    }
}

extension Submission {
    var row: OrderedObject {
        [
            "id": .string(id.rawValue), "task_id": .string(task.rawValue),
            "contributor_id": .string("usr_\(contributor)"),
            "media_object_key": .string(mediaKey), "duration_seconds": .integer(durationSeconds),
            "byte_size": .integer(byteSize), "status": .string(status.rawValue), "review_note": .optional(reviewNote),
            "reviewed_at": .optional(reviewedAt?.seconds), "created_at": .string(createdAt.seconds),
        ]
    }

    /// With a link to the recording, which is good for so many seconds.
    func row(mediaURL: String, seconds: Int) -> OrderedObject {
        [
            "id": .string(id.rawValue), "status": .string(status.rawValue), "media_url": .string(mediaURL),
            "media_url_expires_in_seconds": .integer(seconds),
            "duration_seconds": .integer(durationSeconds), "byte_size": .integer(byteSize),
            "created_at": .string(createdAt.seconds), "task_id": .string(task.rawValue),
            "contributor_id": .string("usr_\(contributor)"), "media_object_key": .string(mediaKey),
            "review_note": .optional(reviewNote), "reviewed_at": .optional(reviewedAt?.seconds),
        ]
    }

    /// What a recording is saved as.
    func filename(_ type: String) -> String {
        switch type {
        case "video/quicktime": "\(id).mov"
        case "video/x-matroska": "\(id).mkv"
        case "video/webm": "\(id).webm"
        case "video/mpeg": "\(id).mpg"
        default: "\(id).mp4"
        }
    }
}
