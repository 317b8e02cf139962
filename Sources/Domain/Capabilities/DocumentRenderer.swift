/// Makes a file that people read from what a run has written.
package protocol DocumentRenderer: Sendable {
    /// The report as PDF: the same report gives the same bytes.
    ///
    /// Cancelling the task ends the rendering at once.
    ///
    /// - Returns: at most 30 MB that begin with `%PDF-`.
    /// - Throws: ``RenderFault``.
    func pdf(of report: ClientReport) async throws -> [UInt8]
}

/// Why there is no document. The text is for an operator; it holds nothing of the report.
package enum RenderFault: Error, CustomStringConvertible, Equatable {
    /// The renderer is not on this machine: which file was looked for.
    case notInstalled(String)
    /// It ended without a document: what it said.
    case failed(String)

    package var description: String {
        switch self {
        case .notInstalled(let place):
            "PDF export needs Typst, and \(place) is not there. Run scripts/setup.sh, or set GC_TYPST to the python3 of a "
                + "virtual environment that has the package typst."
        case .failed(let reason):
            "Typst made no PDF: \(reason). The report may be too large for the limits in docs/pdf.md."
        }
    }
}

/// What goes into the PDF of an engagement (contract E-56, E-57).
package struct ClientReport: Sendable, Hashable {
    /// The latest version of one deliverable.
    package struct Part: Sendable, Hashable {
        package let filename: String
        package let version: Int
        /// GitHub-flavoured Markdown, as a model wrote it: never trusted.
        package let markdown: String
        /// 0 to 10; nil where nobody has scored it.
        package let score: Double?
        package let origin: Origin

        /// - Parameter score: 0 to 10; nil where nobody has scored it.
        package init(filename: String, version: Int, markdown: String, score: Double?, origin: Origin) {
            self.filename = filename
            self.version = version
            self.markdown = markdown
            self.score = score
            self.origin = origin
        }
    }

    /// Who wrote a part, and what it took.
    package struct Origin: Sendable, Hashable {
        package let agent: String
        /// The models asked, separated by commas; empty where no call is on record.
        package let models: String
        package let calls: Int
        package let inputTokens: Int
        package let outputTokens: Int
        package let cost: NanoUSD
        /// Why the router chose the model.
        package let reason: String

        package init(
            agent: String,
            models: String,
            calls: Int,
            inputTokens: Int,
            outputTokens: Int,
            cost: NanoUSD,
            reason: String
        ) {
            self.agent = agent
            self.models = models
            self.calls = calls
            self.inputTokens = inputTokens
            self.outputTokens = outputTokens
            self.cost = cost
            self.reason = reason
        }
    }

    package let tenant: String
    package let engagement: String
    package let client: String
    /// When the newest part was written: it dates the document, so that equal content gives equal bytes.
    package let date: Timestamp
    package let parts: [Part]
    /// With the appendix “AI Provenance”.
    package let withProvenance: Bool
    /// One document alone: without contents and scores.
    package let isExcerpt: Bool
    package let brand: Brand

    package init(
        tenant: String,
        engagement: String,
        client: String,
        date: Timestamp,
        parts: [Part],
        withProvenance: Bool,
        isExcerpt: Bool = false,
        brand: Brand = .none
    ) {
        self.tenant = tenant
        self.engagement = engagement
        self.client = client
        self.date = date
        self.parts = parts
        self.withProvenance = withProvenance
        self.isExcerpt = isExcerpt
        self.brand = brand
    }
}
