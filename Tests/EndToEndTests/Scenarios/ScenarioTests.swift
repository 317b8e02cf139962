import Testing

/// The acceptance scenarios with a whole installation: two API replicas, two workers and a scheduler. All of them share
/// one, each with tenants of its own; each is an extension in a file beside this one.
@Suite("Scenarios with a whole installation", .serialized, .wholeInstallation)
struct ScenarioTests {}

/// Opens the scene before a suite's first test and closes it after the last.
struct WholeInstallation: SuiteTrait, TestScoping {
    /// `@concurrent` because the testing library was compiled without nonsending by default.
    @concurrent
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let scene = try await Scene.open()
        do {
            try await Scene.$current.withValue(scene) { try await function() }
        } catch {
            try await scene.close()
            throw error
        }
        try await scene.close()
    }
}

extension Trait where Self == WholeInstallation {
    static var wholeInstallation: Self { Self() }
}
