package import Embedded
import Foundation
import Logging
import Synchronization

/// One throwaway Postgres and Redis for all tests of this process.
///
/// They lie in a short folder of their own in /tmp, which goes with them when the test process ends, however it ends.
package struct TestStack: Sendable {
    package let stack: PrivateStack
    /// Where its files lie; what a test puts into it goes with the process too.
    package let folder: String

    /// The stack of this process; the first call boots it (about a second).
    package static func shared() async throws -> TestStack { try await booting.value }

    /// The address of a database, by default the one every test shares: make rows that only you will look at.
    package func postgresURL(database: String = "groundcrew") -> String { stack.postgres.url(database: database) }

    /// The address of logical database 0 of the shared Redis.
    package var redisURL: String { redisURL(database: 0) }

    /// The address of logical database `number` (0 to 255) of the shared Redis.
    package func redisURL(database number: Int) -> String { stack.redis.url(database: number) }

    /// Makes a database for one test alone and returns its address.
    ///
    /// It is empty, or a copy of `template`, the name of a database to which nobody is connected: the fast way to a migrated one.
    package func freshDatabase(template: String? = nil) async throws -> String {
        let name = Self.next("test_")
        try await stack.postgres.createDatabase(name, template: template)
        return postgresURL(database: name)
    }

    /// A Redis for one test alone, which may flush, kill and restart it. It ends with the test process, or with `stop()`.
    ///
    /// - Throws: what ``PrivateRedis`` throws when it cannot start.
    package func dedicatedRedis(durability: Durability = .throwaway) async throws -> PrivateRedis {
        let place = folder + "/" + Self.next("redis-")
        return try await PrivateRedis.start(
            directory: place,
            durability: durability,
            doomedFolder: place,
            logger: Self.logger
        )
    }

    /// A Postgres for one test alone, which may kill and restart it. It ends with the test process, or with `stop()`.
    ///
    /// - Throws: what ``PrivatePostgres`` throws when it cannot start.
    package func dedicatedPostgres(durability: Durability = .throwaway) async throws -> PrivatePostgres {
        let place = folder + "/" + Self.next("postgres-")
        return try await PrivatePostgres.start(
            directory: place,
            durability: durability,
            doomedFolder: place,
            logger: Self.logger
        )
    }

    // One task for the whole process, so that tests which ask at the same time get the same stack.
    private static let booting = Task {
        let folder = "/tmp/gct-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 36))"
        let stack = try await PrivateStack.start(
            directory: folder,
            durability: .throwaway,
            removedWithParent: true,
            logger: logger
        )
        return TestStack(stack: stack, folder: folder)
    }

    private static let logger = Logger(label: "test-stack")
    private static let count = Mutex(0)

    private static func next(_ prefix: String) -> String {
        count.withLock { number in
            number += 1
            return "\(prefix)\(number)"
        }
    }
}
