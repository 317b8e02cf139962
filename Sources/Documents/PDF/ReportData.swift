import Domain

/// The report as the template reads it: data from end to end, never markup.
enum ReportData {
    static func json(of report: ClientReport) -> JSON {
        [
            "tenant": .string(report.tenant), "title": .string(report.engagement), "client": .string(report.client),
            "date": .string(String(report.date.seconds.prefix(10))),
            "parts": .array(report.parts.map(part)),
            "provenance": .bool(report.withProvenance), "excerpt": .bool(report.isExcerpt),
            "color": text(report.brand.color?.hex), "ink": text(report.brand.color?.readable.hex),
            "logo": text(report.brand.logo.map(filename)),
        ]
    }

    private static func text(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

    /// Of the logo, beside the template.
    static func filename(of logo: BrandLogo) -> String { "logo.\(logo.kind.rawValue)" }

    private static func part(_ part: ClientReport.Part) -> JSON {
        [
            "title": .string(title(of: part.filename)), "filename": .string(part.filename),
            "version": .integer(part.version), "score": part.score.map { .number($0) } ?? .null,
            "body": body(of: part), "origin": origin(part.origin),
        ]
    }

    /// Without a heading that only says the part's title again.
    private static func body(of part: ClientReport.Part) -> JSON {
        let title: JSON = .string(title(of: part.filename).lowercased())
        var blocks = MarkdownTree.parse(part.markdown)["c"]?.arrayValue ?? []
        let echo = blocks.firstIndex { block in
            let words = block["c"]?.arrayValue?.compactMap { $0["v"]?.stringValue } ?? []
            return block["level"] == 1 && .string(words.joined().lowercased()) == title
        }
        if let echo { blocks.remove(at: echo) }
        return ["t": "document", "c": .array(blocks)]
    }

    private static func origin(_ origin: ClientReport.Origin) -> JSON {
        [
            "agent": .string(spaced(origin.agent)), "models": .string(origin.models),
            "calls": .string(String(origin.calls)),
            "tokens": .string("\(origin.inputTokens) / \(origin.outputTokens)"),
            "cost": .string("$" + dollars(origin.cost.nanos)), "reason": .string(origin.reason),
        ]
    }

    /// `market_sizing.md` is shown as “Market sizing”.
    static func title(of filename: String) -> String {
        let stem = filename.split(separator: ".").dropLast().joined(separator: ".")
        let words = spaced(stem.isEmpty ? filename : stem)
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    private static func spaced(_ name: String) -> String {
        String(name.map { $0 == "_" || $0 == "-" ? " " : $0 })
    }

    /// Rounded to a hundredth of a cent.
    private static func dollars(_ nanos: Int64) -> String {
        let units = (nanos + 50_000) / 100_000
        let rest = String(units % 10_000)
        return "\(units / 10_000)." + String(repeating: "0", count: 4 - rest.count) + rest
    }
}
