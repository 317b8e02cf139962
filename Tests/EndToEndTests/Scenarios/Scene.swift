import Domain
import Foundation
import TestSupport
import Testing

/// What the scenarios share: an installation, a receiver of its webhooks (the hook), and a model.
struct Scene: Sendable {
    @TaskLocal static var current: Scene?

    let house: Installation
    private let hook: WebhookReceiver
    /// Asked by tasks that do not pretend. Its answers differ by their number.
    private let models: FakeModelServer
    /// What the model is called that tasks ask for.
    static let model = "gpt-4.1-mini"

    static func open() async throws -> Scene {
        let hook = try await WebhookReceiver.start()
        let models = try await FakeModelServer.start { seen in
            .text("# Market\n\nWords of answer \(seen.number).").with { $0.usage = (2_000, 0, 500) }
        }
        do {
            let house = try await Installation.open([
                "GC_NET_ALLOW": "127.0.0.2/32", "GC_WEBHOOK_CA_FILE": hook.certificate,
                "OPENAI_BASE_URL": models.baseURL, "OPENAI_API_KEY": "sk-test-0123456789", "GC_MODEL": model,
                "GC_TYPST": typst,
            ])
            return Scene(house: house, hook: hook, models: models)
        } catch {
            hook.stop()
            try await models.stop()
            throw error
        }
    }

    func close() async throws {
        hook.stop()
        try await house.close()
        try await models.stop()
    }

    /// Where scripts/setup.sh puts Typst.
    static let typst =
        URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../..").standardizedFileURL.path + "/.tools/venv/bin/python3"

    // MARK: The hook

    /// One event, as the hook got it.
    struct Told: Sendable, Equatable {
        /// Of the event.
        let id: String
        let type: String
        let data: JSON

        var run: String? { data["runId"]?.stringValue }
    }

    /// A live key of the customer registers the hook for what becomes of runs and reports.
    func hear(_ customer: Customer) async throws {
        let key = try await customer.key(.webhooksWrite)
        let events: JSON = ["engagement.started", "engagement.completed", "engagement.failed", "report.generated"]
        let url = "https://127.0.0.2:\(hook.port)/\(customer.id)"
        let made = try await key.a.call(
            "POST",
            "/api/v1/webhook-endpoints",
            ["url": .string(url), "events": events]
        )
        try #require(made.status == 201, "\(made.body.text)")
    }

    /// What the hook got of the customer's events so far.
    func told(_ customer: Customer) -> [Told] {
        hook.posts("/\(customer.id)").map { post in
            let body = (try? JSON(parsing: Data((post["body"] ?? "").utf8))) ?? .null
            return Told(
                id: post["webhook-id"] ?? "",
                type: body["type"]?.stringValue ?? "",
                data: body["data"] ?? .null
            )
        }
    }

    /// Waits until the hook got so many events of the customer's and no job is left that could bring more.
    func heard(_ count: Int, of customer: Customer) async throws -> [Told] {
        try await eventually(within: .seconds(30), "\(count) events at the hook", poll: .milliseconds(50)) {
            told(customer).count >= count
        }
        try await house.settled(customer)
        return told(customer)
    }
}
