package import Domain
import FoundationEssentials

/// An answer that asks colleagues instead of being the document (engine 3.9).
///
/// Only what is nothing but a JSON object with `delegate`, maybe inside one code fence, is taken for one: the word in a
/// document means nothing.
package enum DelegationReply: Sendable, Hashable {
    /// One or two questions, each to another member of the crew.
    case asks([DelegatedQuestion])
    /// It asks in a way that gives nobody work; the text tells the model why.
    case unusable(String)

    /// The most questions of one task.
    package static let mostQuestions = 2
    /// In Unicode scalars.
    package static let longestQuestion = 1_000

    /// - Parameters:
    ///   - text: the whole answer of a model.
    ///   - agent: the slug of who gave it; nobody asks themselves.
    /// - Returns: nil where the text is a document.
    package init?(_ text: String, from agent: String) {
        let body = Self.unfenced(text)
        guard body.first == "{" else { return nil }
        guard let members = (try? JSON(parsing: Data(body.utf8)))?.objectValue else {
            guard Self.trimmed(body.dropFirst()).hasPrefix("\"delegate\"") else { return nil }
            self = .unusable("the answer is not one JSON object and nothing else")
            return
        }
        guard let list = members["delegate"] else { return nil }
        do {
            self = .asks(try Self.questions(list, from: agent))
        } catch {
            self = .unusable(error.why)
        }
    }

    // MARK: Checks

    private struct Unusable: Error {
        let why: String
    }

    private static func questions(_ list: JSON, from agent: String) throws(Unusable) -> [DelegatedQuestion] {
        guard let items = list.arrayValue, (1...mostQuestions).contains(items.count) else {
            let count = list.arrayValue.map { ", not \($0.count)" } ?? ""
            throw Unusable(why: "\"delegate\" takes a list of 1 to \(mostQuestions) questions\(count)")
        }
        var questions: [DelegatedQuestion] = []
        for (index, item) in items.enumerated() {
            let question = try question(item, from: agent, at: "delegate[\(index)]")
            guard !questions.contains(question) else {
                throw Unusable(why: "delegate[\(index)] asks the same member the same again")
            }
            questions.append(question)
        }
        return questions
    }

    private static func question(
        _ item: JSON,
        from agent: String,
        at place: String
    ) throws(Unusable) -> DelegatedQuestion {
        guard let slug = item["to"]?.stringValue else {
            throw Unusable(why: "\(place).to is no slug of the crew's list")
        }
        guard AgentRoster.assignable.contains(slug) else {
            throw Unusable(why: "\(place).to: nobody who can be asked is called \(CrewTaskFault.quoted(slug))")
        }
        guard slug != agent else { throw Unusable(why: "\(place).to: you cannot ask yourself") }
        let text = trimmed(plain(item["question"]?.stringValue ?? "")[...])
        guard (1...longestQuestion).contains(text.unicodeScalars.count) else {
            throw Unusable(why: "\(place).question takes 1 to \(longestQuestion) characters")
        }
        return DelegatedQuestion(to: slug, question: String(text))
    }

    // MARK: Text

    /// The inside of the one code fence around the whole text, else the text itself.
    private static func unfenced(_ text: String) -> Substring {
        let whole = trimmed(text[...])
        guard whole.utf8.count > 6, whole.hasPrefix("```"), whole.hasSuffix("```") else { return whole }
        return trimmed(whole.dropFirst(3).dropLast(3).drop { $0.isLetter })
    }

    private static func trimmed(_ text: Substring) -> Substring {
        guard let last = text.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return text[...last].drop(while: \.isWhitespace)
    }

    /// Postgres has no place for U+0000, and nobody needs the other control characters.
    private static func plain(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            let isKept = scalar.value >= 0x20 && scalar.value != 0x7F || scalar == "\n" || scalar == "\t"
            return isKept ? scalar : " "
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
