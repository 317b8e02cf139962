import Documents
import Domain
import Foundation
import Logging
import Subprocess
import TestSupport
import Testing

/// Real Typst, read back with pdftotext.
@Suite("PDF by Typst")
struct TypstRendererTests {
    private func render(_ markdown: [String], score: Double? = nil, provenance: Bool = false) async throws -> [UInt8] {
        try await Self.renderer.pdf(of: report(markdown, score: score, provenance: provenance))
    }

    private static var renderer: TypstRenderer {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        return TypstRenderer(python: root.path + "/.tools/venv/bin/python3", logger: Logger(label: "test"))
    }

    private func report(_ markdown: [String], score: Double?, provenance: Bool) -> ClientReport {
        let origin = ClientReport.Origin(
            agent: "market_analyst",
            models: "offline-extractive-1",
            calls: 3,
            inputTokens: 1200,
            outputTokens: 340,
            cost: NanoUSD(nanos: 12_345_678),
            reason: "the cheapest that fits"
        )
        let parts = markdown.enumerated().map { index, text in
            ClientReport.Part(
                filename: "part_\(index + 1).md",
                version: 1,
                markdown: text,
                score: score,
                origin: origin
            )
        }
        return ClientReport(
            tenant: "Ténant #1",
            engagement: "Growth $plan$ *now* #import \"x\"",
            client: "Acme <b>",
            date: Timestamp(microseconds: 1_760_000_000_000_000),
            parts: parts,
            withProvenance: provenance
        )
    }

    private func text(of pdf: [UInt8]) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pdf")
        try Data(pdf).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let result = try await Subprocess.run(
            .name("pdftotext"),
            arguments: ["-layout", file.path, "-"],
            output: .string(limit: 10_000_000)
        )
        return result.standardOutput
    }

    @Test("Markup of the typesetter in names or documents is text on the page")
    func injection() async throws {
        let hostile = #"#import "@preview/x:1.0.0" and #read("/etc/passwd") and $x$ and #eval("1+1") \ @ref <label>"#
        let pdf = try await render([hostile, "# #panic(1)\n\n| #a | $b |\n|--|--|\n| ] | [ |\n\n```\n#quit\n```"])
        let text = try await text(of: pdf)
        #expect(text.contains(##"#read("/etc/passwd")"##) || text.contains("#read(“/etc/passwd”)"))
        #expect(text.contains("#panic(1)"))
        #expect(text.contains("#quit"))
        #expect(text.contains("$plan$"))
        #expect(!text.contains("root:"))
    }

    @Test("Words of many scripts can be read back")
    func scripts() async throws {
        let text = try await text(of: render(["Ελλάδα 東京 Привет\n\nשלום\n\nمرحبا"]))
        for word in ["Ελλάδα", "東京", "Привет", "שלום", "مرحبا"] { #expect(text.contains(word), "\(word)") }
    }

    @Test("The same report gives the same bytes, tagged and with its title")
    func sameBytes() async throws {
        let first = try await render(["# A\n\ntext"], score: 7.5)
        let second = try await render(["# A\n\ntext"], score: 7.5)
        #expect(first == second)
        #expect(first.starts(with: "%PDF-".utf8))
    }

    @Test("Scores are shown where there are some, and their absence is said")
    func scores() async throws {
        #expect(try await text(of: render(["a"], score: 7.5)).contains("7.5"))
        #expect(try await text(of: render(["a"])).contains("No quality scores were given"))
    }

    @Test(
        "E-56: a logo of the tenant is on the cover, its colour in the file; a picture that cannot be drawn is a fault"
    )
    func brand() async throws {
        let logo = try BrandLogo(checking: Array(#require(Data(base64Encoded: Self.dot))))
        let color = try BrandColor("#FFB000")
        let plain = report(["# A\n\ntext"], score: nil, provenance: false)
        let branded = ClientReport(
            tenant: plain.tenant,
            engagement: plain.engagement,
            client: plain.client,
            date: plain.date,
            parts: plain.parts,
            withProvenance: false,
            brand: Brand(color: color, logo: logo)
        )
        let pdf = try await Self.renderer.pdf(of: branded)
        #expect(try await images(in: pdf) == 1)
        #expect(try await images(in: Self.renderer.pdf(of: plain)) == 0)
        #expect(try await Self.renderer.pdf(of: branded) == pdf)
        // Its frame is in order, its pixels are not.
        var bytes = logo.bytes
        for place in 45..<50 { bytes[place] ^= 0xFF }
        let broken = ClientReport(
            tenant: "T",
            engagement: "E",
            client: "C",
            date: plain.date,
            parts: [],
            withProvenance: false,
            brand: Brand(logo: BrandLogo(stored: bytes, kind: .png))
        )
        await #expect(throws: RenderFault.self) { try await Self.renderer.pdf(of: broken) }
    }

    /// PNG, 1 by 1.
    private static let dot =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

    private func images(in pdf: [UInt8]) async throws -> Int {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pdf")
        try Data(pdf).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let result = try await Subprocess.run(
            .name("pdfimages"),
            arguments: ["-list", file.path],
            output: .string(limit: 100_000)
        )
        // Page, number, type: a mask of transparency is a row of its own.
        return result.standardOutput.split(separator: "\n").count {
            $0.split(separator: " ").dropFirst(2).first == "image"
        }
    }

    @Test("The appendix on provenance is there when it is asked for")
    func provenance() async throws {
        let with = try await text(of: render(["a"], provenance: true))
        for word in ["AI Provenance", "offline-extractive-1", "$0.0123", "the cheapest that fits"] {
            #expect(with.contains(word), "\(word)")
        }
        #expect(try await !text(of: render(["a"])).contains("AI Provenance"))
    }

    @Test("A heading that repeats the deliverable's name is shown once")
    func echo() async throws {
        let text = try await text(of: render(["> quoted\n\n# Part 1\n\nwords"]))
        // In the contents and above the part.
        #expect(text.matches(of: /Part 1/).count == 2)
    }

    @Test("Forty pages fit into the limits")
    func manyPages() async throws {
        let paragraph = String(repeating: "A sentence that fills the line of a page. ", count: 60)
        let page = "## Section\n\n\(paragraph)\n\n| a | b |\n|--|--|\n" + String(repeating: "| 1 | 2 |\n", count: 20)
        let pdf = try await render(Array(repeating: page, count: 45))
        let pages = try await text(of: pdf).count { $0 == "\u{0C}" }
        #expect(pages >= 40)
    }

    @Test(
        "Broken Markdown still gives a document",
        arguments: [
            "", "\u{0}\u{1}\u{FFFE}", "| a |\n|--|--|\n| b | c | d |", "- \n- \n\n1.\n", "> > > ```\n[a](",
            "# \n\n## \n",
            "| a |\n|---|", "[](https://a.b)", "<script>alert(1)</script>", "***\n_a **b_ c**", "999999999. a",
        ]
    )
    func broken(markdown: String) async throws {
        #expect(try await render([markdown]).starts(with: "%PDF-".utf8))
    }

    @Test("Cancelling ends the process")
    func cancelling() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (slow, mark) = (folder.appending(path: "python3").path, folder.appending(path: "pid").path)
        try Data("#!/bin/sh\necho $$ > \(mark)\nexec sleep 50\n".utf8).write(to: URL(filePath: slow))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: slow)
        let renderer = TypstRenderer(python: slow, logger: Logger(label: "test"))
        let report = report(["a"], score: nil, provenance: false)
        let rendering = Task { try await renderer.pdf(of: report) }
        var process: Int32?
        try await eventually(within: .seconds(60), "the renderer to run") {
            process = (try? String(contentsOfFile: mark, encoding: .utf8)).flatMap { Int32($0.dropLast()) }
            return process != nil
        }
        rendering.cancel()
        await #expect(throws: (any Error).self) { _ = try await rendering.value }
        let number = try #require(process)
        try await eventually(within: .seconds(5), "the process to be gone") { kill(number, 0) != 0 }
    }

    @Test(
        "Without Typst the error says what to install",
        arguments: [
            ("/nowhere/python3", "/nowhere/python3"), ("/usr/bin/python3", "the package typst of /usr/bin/python3"),
        ]
    )
    func missing(python: String, what: String) async throws {
        let renderer = TypstRenderer(python: python, logger: Logger(label: "test"))
        await #expect(throws: RenderFault.notInstalled(what)) {
            try await renderer.pdf(of: report(["a"], score: nil, provenance: false))
        }
    }
}
