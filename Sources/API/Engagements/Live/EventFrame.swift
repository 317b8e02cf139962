import Domain
import Stores

/// How events look on the wire (contract E-46 to E-48): `id:` and one unnamed `data:` line of JSON.
///
/// Source: HTML Living Standard, "Server-sent events".
enum EventFrame {
    /// Sent at the beginning of each stream, and at its end when the server goes: how soon to come back.
    static let retry = "retry: 3000\n\n"
    /// A comment: proxies see that the stream lives, clients see nothing.
    static let heartbeat = ":\n\n"

    /// One event of a run.
    static func text(of event: StoredEvent) -> String {
        let position = StreamPosition(run: event.run, seq: event.seq)
        return "id: \(position)\ndata: \(body(event.type, event.data, event.at))\n\n"
    }

    /// The state of an engagement that has never run. There is no run yet that an id could name.
    static func waiting(_ status: Engagement.Status, at: Timestamp) -> String {
        "data: \(body("status", ["status": .string(status.rawValue)], at))\n\n"
    }

    private static func body(_ type: String, _ data: JSON, _ at: Timestamp) -> String {
        var members = data.objectValue ?? [:]
        members["type"] = .string(type)
        members["timestamp"] = .string(at.seconds)
        return JSON.object(members).text
    }
}

/// Where in a run's events a client is: `<runId>-<seq>`, the id of the last event that it has.
struct StreamPosition: Equatable, CustomStringConvertible {
    let run: Run.ID
    let seq: Int

    init(run: Run.ID, seq: Int) {
        self.run = run
        self.seq = seq
    }

    /// Nil where the text is none of our ids.
    init?(_ text: String) {
        guard let dash = text.lastIndex(of: "-"), text.utf8.count <= 64 else { return nil }
        let digits = text[text.index(after: dash)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let seq = Int(digits),
            text[..<dash].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        self.init(run: ID(String(text[..<dash])), seq: seq)
    }

    var description: String { "\(run)-\(seq)" }
}

/// What a client gets when it connects.
enum StreamPlan: Equatable {
    /// Events of a run after the one with this number.
    case follow(Run.ID, after: Int)
    /// There is no run yet.
    case wait
    /// It has everything: 204 makes a browser stop asking (contract E-48).
    case over

    /// An id that is unknown here, or ahead of the run, counts as none: the latest run is told from its first event.
    static func plan(_ start: StreamStart, since position: StreamPosition?) -> StreamPlan {
        guard let latest = start.latest else { return .wait }
        guard let position, let tip = start.asked, tip.run == position.run, position.seq <= tip.lastSeq else {
            return .follow(latest.run, after: 0)
        }
        guard tip.isOver, position.seq == tip.lastSeq else { return .follow(tip.run, after: position.seq) }
        return tip.run == latest.run ? .over : .follow(latest.run, after: 0)
    }
}
