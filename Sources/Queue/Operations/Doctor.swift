package import PostgresClient

/// Looks for what is wrong with an installation, and says what to do. It changes nothing.
///
/// Postgres, Redis and workers go on meanwhile, so what looks wrong at first is looked at again after `patience`, and only
/// what is still so is a finding.
package struct Doctor: Sendable {
    let queue: JobQueue
    let migrations: [Migration]
    let patience: Duration

    /// - Parameters:
    ///   - migrations: those that this program knows.
    ///   - patience: between the two looks at a thing that changes by itself; longer than a sweep and a heartbeat take.
    package init(_ queue: JobQueue, migrations: [Migration], patience: Duration = .seconds(3)) {
        self.queue = queue
        self.migrations = migrations
        self.patience = patience
    }

    /// All checks, in the order in which a person should read them.
    ///
    /// - Throws: `PostgresError` where Postgres cannot be asked. Redis being away is a finding.
    package func examine() async throws -> [Finding] {
        var findings = try await postgres()
        findings += try await schema()
        let redis = try await redis()
        findings += redis
        findings += try await scheduler()
        findings += try await workers()
        findings += try await kinds()
        findings += try await stuck()
        findings += try await waiting()
        findings += try await modes()
        findings += try await deaths()
        if !redis.contains(where: { $0.check == "redis.reach" }) { findings += try await drift() }
        return findings
    }

    static func seconds(_ value: Double) -> String {
        switch value {
        case ..<60: "\(Int(max(0, value))) s"
        case ..<7200: "\(Int(value / 60)) min"
        default: "\(Int(value / 3600)) h"
        }
    }
}
