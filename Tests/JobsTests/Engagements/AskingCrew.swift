import Crew
import Domain
import Jobs
import PostgresClient
import Queue
import Stores
import TestSupport
import Testing

/// A model whose first task asks two colleagues, and what a test wants to know of its runs.
enum AskingCrew {
    static let price = "What would customers pay?"
    static let features = "Which feature first?"
    static let answer = "They would pay 900 dollars [S1]."
    static let document = "# First\n\nThe market is large, and robots for 900 dollars sell in it."

    static func asking(_ questions: [(to: String, question: String)]) -> String {
        let items = questions.map { JSON.object(["to": .string($0.to), "question": .string($0.question)]) }
        return JSON.object(["delegate": .array(items)]).text
    }

    static let two = asking([("pricing_strategist", price), ("product_strategist", features)])

    static func isQuestion(_ request: ModelRequest) -> Bool { user(request).contains("A colleague who writes") }
    static func offers(_ request: ModelRequest) -> Bool { user(request).contains("# Asking colleagues") }
    static func wasRefused(_ request: ModelRequest) -> Bool { user(request).contains("ask colleagues was refused") }
    static func user(_ request: ModelRequest) -> String { request.messages.last?.text ?? "" }

    /// - Parameters:
    ///   - request: what the task "First" says where it may ask.
    ///   - answer: what is said to a question.
    static func model(
        _ request: String = two,
        answer: @escaping @Sendable (ModelRequest) throws(ModelFault) -> String = { _ in AskingCrew.answer }
    ) -> ScriptedModel {
        ScriptedModel { asked, _ throws(ModelFault) in
            if isQuestion(asked) { return ScriptedModel.reply(try answer(asked), to: asked) }
            let mayAsk = offers(asked) && user(asked).contains("Document: First")
            return ScriptedModel.reply(mayAsk ? request : document, to: asked)
        }
    }
}

extension CrewHouse {
    /// `id status`, in the order of the plan.
    func tasks(_ run: Run.ID) async throws -> [String] {
        try await world.postgres.query(
            "SELECT task_id || ' ' || status FROM run_tasks WHERE run_id = \(run) ORDER BY position"
        ).map { try $0.decode(String.self) }
    }

    /// Names of documents, those of the record left out.
    func documents(_ run: Run.ID) async throws -> [String] {
        try await world.postgres.query(
            "SELECT filename FROM deliverables WHERE run_id = \(run) AND task_id <> '_report' ORDER BY filename"
        ).map { try $0.decode(String.self) }
    }

    func lines(_ run: Run.ID) async throws -> [String] { try await log(run).split(separator: "\n").map(String.init) }

    /// No event is missing or twice.
    func checkEvents(_ run: Run.ID) async throws {
        let gaps = try await number(
            "SELECT count(*) FROM runs r WHERE last_seq <> (SELECT count(*) FROM run_events WHERE run_id = r.id)"
        )
        #expect(gaps == 0)
    }

    func engagement(of run: Run.ID) async throws -> Engagement.ID {
        ID(try await text("SELECT engagement_id FROM runs WHERE id = \(run)"))
    }

    func caller() async throws -> Caller {
        let accounts = world.stores.accounts
        let made = try await accounts.createKey(tenant: tenant, name: "k", scopes: [.readWrite], mode: .live)
        let key = try #require(made).plaintext
        return try #require(try await accounts.caller(key: key))
    }
}
