import Domain

/// Which of the API documents a path belongs to: they differ in their envelopes (contract 1.0).
enum Family: Sendable {
    case plain
    /// `/api/v1/…` except the agents'.
    case collection

    /// By path prefix, longest first.
    init(path: String) {
        if path.hasPrefix("/api/v1/agent/") {
            self = .plain
        } else if path.hasPrefix("/api/v1/") {
            self = .collection
        } else {
            self = .plain
        }
    }

    func body(of error: APIError) -> JSON {
        switch self {
        case .plain: ["error": .string(error.message)]
        case .collection:
            ["error": .object(members(of: error))]
        }
    }

    /// `details` only where it adds structure (contract T-3).
    private func members(of error: APIError) -> [String: JSON] {
        var members: [String: JSON] = ["code": .string(error.code), "message": .string(message(of: error))]
        if case .faults(let faults) = error {
            members["details"] = [
                "fields": .array(faults.map { ["path": .string($0.path), "message": .string($0.message)] })
            ]
        }
        return members
    }

    private func message(of error: APIError) -> String {
        error == .unauthorized ? "Missing or invalid API key" : error.message
    }
}
