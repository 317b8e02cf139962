import ArgumentParser
import Crew
import Domain
import Jobs
import LLM

/// What a model call costs by itself: the bench takes it from the time between two calls of a crew.
struct BenchCallsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls",
        abstract: "Call the model at OPENAI_BASE_URL again and again, with nothing in between."
    )

    @Option var calls = 300

    func run() async throws {
        try await withFleet { fleet in
            guard let model = try fleet.models()[ModelProvider.openAI] else {
                throw CommandEnd(.usage, "OPENAI_BASE_URL is not set: it says which model server to call")
            }
            let request = ModelRequest(
                model: "fake",
                messages: [.init(.system, String(repeating: "You write. ", count: 200)), .init(.user, "Write.")],
                maxOutput: 1000
            )
            for _ in 0..<calls { _ = try await model.complete(request, onText: { _ in }) }
            Terminal.say(JSON.object(["bench": "calls", "calls": .integer(calls)]).text)
        }
    }
}
