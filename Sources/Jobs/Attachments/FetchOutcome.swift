package import Domain

/// What became of a page that a request waits for: the answer of the job, as JSON in the ledger.
package enum FetchOutcome: Sendable, Equatable {
    /// It is an attachment, whose bytes lie under this key.
    case stored(key: String)
    /// The URL may not be asked for: 400.
    case refused(String)
    /// It could not be had, or holds no text: 422.
    case failed(String)
    /// The tenant's plan has no room for it: 413.
    case full
    /// The engagement was deleted in the meantime: 404.
    case gone

    package var json: JSON {
        switch self {
        case .stored(let key): ["stored": .string(key)]
        case .refused(let reason): ["refused": .string(reason)]
        case .failed(let reason): ["failed": .string(reason)]
        case .full: ["full": true]
        case .gone: ["gone": true]
        }
    }

    /// - Parameter json: as ``json`` gives it; nil where it is anything else.
    package init?(_ json: JSON) {
        if let key = json["stored"]?.stringValue {
            self = .stored(key: key)
        } else if let reason = json["refused"]?.stringValue {
            self = .refused(reason)
        } else if let reason = json["failed"]?.stringValue {
            self = .failed(reason)
        } else if json["full"] == true {
            self = .full
        } else if json["gone"] == true {
            self = .gone
        } else {
            return nil
        }
    }
}
