import Domain

/// A document made of quotations, in fixed sections.
struct OfflineDocument {
    /// The first line of every document, so that nobody takes it for a model's work.
    static let notice =
        "> Prepared without a language model: sentences below are quoted from the brief and attachments."

    private let material: ModelMaterial
    private let sources: OfflineSources

    init(_ material: ModelMaterial) {
        self.material = material
        sources = OfflineSources(material)
    }

    var text: String {
        let sections = [asked, evidence, figures, comparisons, uncovered, questions, list]
        return
            ([Self.notice, "# \(material.title.isEmpty ? "Document" : material.title)"] + sections.compactMap(\.self))
            .joined(separator: "\n\n") + "\n"
    }

    // MARK: Sections

    private var asked: String {
        let quotes = sources.best(5) { $0.source.kind == .brief }
        let body =
            quotes.isEmpty ? ["The brief holds no sentence that could be quoted."] : quotes.map { "- \($0.line)" }
        let task = material.instructions.isEmpty ? [] : ["The task: \(Self.oneLine(material.instructions))", ""]
        return (["## What was asked", ""] + task + body).joined(separator: "\n")
    }

    private var evidence: String? {
        let quotes = sources.best(14)
        guard !quotes.isEmpty else { return nil }
        var lines = ["## Evidence"]
        if !material.sources.contains(where: { $0.kind == .attachment }) {
            lines += ["", "No attachments were given; the evidence comes from the brief and from earlier documents."]
        }
        for source in material.sources {
            let own = quotes.filter { $0.source.label == source.label }
            guard !own.isEmpty else { continue }
            lines += ["", "### \(source.name) [\(source.label)]", ""] + own.map { "- \($0.line)" }
        }
        return lines.joined(separator: "\n")
    }

    private var figures: String? {
        let quotes = sources.best(10) { !Figures.of($0.text).isEmpty }
        let rows = quotes.flatMap { quote in
            Figures.of(quote.text).prefix(4).map {
                "| \(Self.cell($0)) | “\(Self.cell(quote.text))” | \(quote.citation) |"
            }
        }
        guard !rows.isEmpty else { return nil }
        return (["## Figures found", "", "| Value | Sentence | Source |", "|---|---|---|"] + rows.prefix(20))
            .joined(separator: "\n")
    }

    private var comparisons: String? {
        let pairs = sources.comparisons(4)
        guard !pairs.isEmpty else { return nil }
        let lines = pairs.map { "- \($0.line)\n  and \($1.line)" }
        return (["## Points to compare", "", "These sentences name different numbers for related things.", ""] + lines)
            .joined(separator: "\n")
    }

    private var missing: [String] { Array(sources.uncovered.prefix(8)) }

    private var uncovered: String? {
        guard !missing.isEmpty else { return nil }
        return (["## Not covered", ""] + missing.map { "- No source mentions “\($0)”." }).joined(separator: "\n")
    }

    private var questions: String? {
        guard !missing.isEmpty else { return nil }
        return
            (["## Questions to settle", ""] + missing.map { "- What is known about “\($0)”, and from which source?" })
            .joined(separator: "\n")
    }

    private var list: String? {
        guard !material.sources.isEmpty else { return nil }
        return (["## Sources", ""] + material.sources.map { "- [\($0.label)] \($0.name)" }).joined(separator: "\n")
    }

    // MARK: Markdown

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func cell(_ text: String) -> String {
        oneLine(text).replacing("|", with: "\\|")
    }
}
