import Domain
import Foundation
import TestSupport
import Testing

/// What the scenarios share: an installation, a receiver of its webhooks (the hook), a model, and a stand-in for Stripe.
struct Scene: Sendable {
    @TaskLocal static var current: Scene?

    let house: Installation
    private let hook: WebhookReceiver
    /// Asked by tasks that do not pretend. Its answers differ by their number.
    private let models: FakeModelServer
    let stripe: ScriptedStripe
    /// What the stand-in's events are signed with.
    static let stripeSecret = "whsec_test"
    /// What the model is called that tasks ask for.
    static let model = "gpt-4.1-mini"

    static func open() async throws -> Scene {
        let hook = try await WebhookReceiver.start()
        let models = try await FakeModelServer.start { seen in
            .text("# Market\n\nWords of answer \(seen.number).").with { $0.usage = (2_000, 0, 500) }
        }
        let stripe = try await ScriptedStripe.start()
        do {
            let house = try await Installation.open([
                "GC_NET_ALLOW": "127.0.0.2/32", "GC_WEBHOOK_CA_FILE": hook.certificate,
                "OPENAI_BASE_URL": models.baseURL, "OPENAI_API_KEY": "sk-test-0123456789", "GC_MODEL": model,
                "GC_TYPST": typst, "GC_STRIPE_SECRET_KEY": "sk_test_1", "GC_STRIPE_API_BASE": stripe.baseURL,
                "GC_STRIPE_WEBHOOK_SECRET": stripeSecret,
            ])
            return Scene(house: house, hook: hook, models: models, stripe: stripe)
        } catch {
            hook.stop()
            try await models.stop()
            try await stripe.stop()
            throw error
        }
    }

    func close() async throws {
        hook.stop()
        try await house.close()
        try await models.stop()
        try await stripe.stop()
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
        let events: JSON = ["engagement.started", "engagement.completed", "engagement.failed", "report.generated"]
        _ = try await endpoint("/\(customer.id)", of: customer.key(.webhooksWrite), events: events)
    }

    /// Registers a path of the hook; returns the endpoint's id.
    func endpoint(_ path: String, of key: Credential, events: JSON) async throws -> String {
        let wish: JSON = ["url": .string("https://127.0.0.2:\(hook.port)\(path)"), "events": events]
        let made = try await key.a.call("POST", "/api/v1/webhook-endpoints", wish)
        return try #require(made.body["data"]?["id"]?.stringValue, "\(made.status): \(made.body.text)")
    }

    /// What was posted to a path of the hook, the headers in lower case.
    func posts(_ path: String) -> [[String: String]] { hook.posts(path) }

    /// From now on `/down/…` of the hook answers.
    func repairHook() throws { try hook.repair() }

    /// What the hook got of the customer's events so far.
    func told(_ customer: Customer) -> [Told] {
        posts("/\(customer.id)").map { post in
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
