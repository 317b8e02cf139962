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
        let sections = [asked, evidence, figures, comparisons, uncovered, questions]
        let body =
            ([Self.notice, "# \(material.title.isEmpty ? "Document" : material.title)"] + sections.compactMap(\.self))
            .joined(separator: "\n\n")
        return body + (list(for: body).map { "\n\n" + $0 } ?? "") + "\n"
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
        var told: Set<String> = []
        for source in material.sources where told.insert(Self.group(source)).inserted {
            let own = quotes.filter { Self.group($0.source) == Self.group(source) }
            guard !own.isEmpty else { continue }
            lines += ["", "### \(Self.title(source))", ""] + own.map { "- \($0.line)" }
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

    /// The brief and the documents it builds on, and of the files the places that are cited above.
    private func list(for body: String) -> String? {
        var listed: Set<String> = []
        let lines = material.sources.compactMap { source -> String? in
            guard source.kind != .attachment || body.contains("[\(source.label)]") else { return nil }
            guard listed.insert(source.label).inserted else { return nil }
            return source.kind == .attachment ? "- [\(source.label)]" : "- [\(source.label)] \(source.name)"
        }
        return lines.isEmpty ? nil : (["## Sources", ""] + lines).joined(separator: "\n")
    }

    /// Passages of one file stand together.
    private static func group(_ source: ModelMaterial.Source) -> String {
        source.kind == .attachment ? source.name : source.label
    }

    private static func title(_ source: ModelMaterial.Source) -> String {
        source.kind == .attachment ? source.name : "\(source.name) [\(source.label)]"
    }

    // MARK: Markdown

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func cell(_ text: String) -> String {
        oneLine(text).replacing("|", with: "\\|")
    }
}
