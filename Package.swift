// swift-tools-version: 6.2
import PackageDescription

// Every floor of the house, and every arrow between floors, read from the roof to the cellar.
// scripts/check-arrows.py holds each import line against this file.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// What is taken, not written.
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

let package = Package(
    name: "groundcrew",
    products: [
        .executable(name: "groundcrew", targets: ["CLI"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.2"),
        // The lean set: no configuration support, no full Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0", traits: []),
    ],
    targets: [
        // The roof: one binary, one file per command.
        .executableTarget(
            name: "CLI",
            dependencies: [
                "API", "Worker", "Scheduler", "Jobs", "Crew", "Stores", "Queue", "Domain", "LLM", "Outside",
                "Documents", "Embedded",
                "RedisClient", "PostgresClient", argumentParser, asyncHTTPClient, lifecycle, unixSignals, logging,
                nioCore, nioHTTP1,
            ],
            swiftSettings: house
        ),

        // Who asks, who does it, when. The API has no arrow to LLM or Crew: it stays thin because it cannot do otherwise.
        .target(
            name: "API",
            dependencies: [
                "Jobs", "Stores", "Queue", "Domain", "RedisClient", "PostgresClient", hummingbird, httpTypes, lifecycle,
                logging, nioCore,
            ],
            resources: [.embedInCode("Scripts")],
            swiftSettings: house
        ),
        .target(
            name: "Worker",
            dependencies: [
                "Jobs", "Crew", "Stores", "Queue", "Domain", "LLM", "RedisClient", "PostgresClient", lifecycle, logging,
            ],
            swiftSettings: house
        ),
        .target(
            name: "Scheduler",
            dependencies: ["Jobs", "Stores", "Queue", "Domain", "RedisClient", "PostgresClient", lifecycle, logging],
            swiftSettings: house
        ),

        // What the work is: one file per job kind.
        .target(
            name: "Jobs",
            dependencies: ["Crew", "Stores", "Queue", "Domain", "PostgresClient", logging, nioCore],
            swiftSettings: house
        ),

        // Where state lives, how agents think, what the words mean.
        .target(name: "Crew", dependencies: ["Domain"], swiftSettings: house),
        .target(
            name: "Stores",
            dependencies: [
                "Domain", "PostgresClient", "RedisClient", "CCrypt", crypto, asyncHTTPClient, nioCore, nioHTTP1,
                nioPosix,
            ],
            resources: [.embedInCode("Migrations")],
            swiftSettings: house
        ),
        .target(
            name: "Queue",
            dependencies: ["PostgresClient", "RedisClient", logging],
            resources: [.embedInCode("Scripts")],
            swiftSettings: house
        ),
        .target(name: "Domain", swiftSettings: house),

        // What is outside, behind capabilities that Domain declares.
        .target(
            name: "LLM",
            dependencies: ["Domain", asyncHTTPClient, nioCore, nioHTTP1, logging],
            swiftSettings: house
        ),
        .target(
            name: "Documents",
            dependencies: ["Domain", "CCmark", "CLibXML2", subprocess, logging],
            resources: [.embedInCode("Resources")],
            swiftSettings: house
        ),
        .target(
            name: "Outside",
            dependencies: [
                "Domain", "CZlib", asyncHTTPClient, crypto, nioCore, nioHTTP1, nioPosix, nioSSL, subprocess,
            ],
            swiftSettings: house
        ),
        .target(name: "Embedded", dependencies: [subprocess, logging], swiftSettings: house),

        // The cellar: C libraries behind one door each. Nothing above may import the C modules.
        .target(
            name: "RedisClient",
            dependencies: ["CHiredis", nioCore, nioPosix, nioSSL, logging],
            swiftSettings: house
        ),
        .target(name: "PostgresClient", dependencies: ["CLibPQ", deque, heap, logging], swiftSettings: house),
        .systemLibrary(
            name: "CCmark",
            providers: [.apt(["libcmark-gfm-dev", "libcmark-gfm-extensions-dev"])]
        ),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),

        // Tests: one target per floor, the same rooms, the same file names + `Tests`.
        .target(
            name: "TestSupport",
            dependencies: [
                "Domain", "Embedded", "PostgresClient", "RedisClient", "Queue", "Stores", asyncHTTPClient, crypto,
                subprocess,
                nioCore, nioPosix, nioHTTP1, nioSSL, logging,
            ],
            path: "Tests/TestSupport",
            swiftSettings: house
        ),
        // The chaos harness: a program, because it may run for an hour. Nothing depends on it.
        .executableTarget(
            name: "ChaosHarness",
            dependencies: [
                "TestSupport", "Embedded", "Queue", "Stores", "Domain", "PostgresClient", "RedisClient", argumentParser,
                asyncHTTPClient, nioCore, nioPosix, nioHTTP1, logging,
            ],
            path: "Tests/Chaos",
            swiftSettings: house
        ),
        .testTarget(name: "DomainTests", dependencies: ["Domain", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "RedisClientTests",
            dependencies: ["RedisClient", "TestSupport", nioCore, nioPosix, nioEmbedded, nioSSL, subprocess, logging],
            swiftSettings: house
        ),
        .testTarget(
            name: "PostgresClientTests",
            dependencies: ["PostgresClient", "TestSupport", "Embedded", logging],
            swiftSettings: house
        ),
        .testTarget(
            name: "QueueTests",
            dependencies: [
                "Queue", "Stores", "Domain", "PostgresClient", "RedisClient", "Embedded", "TestSupport", logging,
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "StoresTests",
            dependencies: [
                "Stores", "Domain", "PostgresClient", "TestSupport", asyncHTTPClient, nioCore, nioHTTP1,
            ],
            swiftSettings: house
        ),
        .testTarget(name: "CrewTests", dependencies: ["Crew", "Domain"], swiftSettings: house),
        .testTarget(
            name: "LLMTests",
            dependencies: ["LLM", "Domain", "TestSupport", asyncHTTPClient],
            swiftSettings: house
        ),
        .testTarget(
            name: "DocumentsTests",
            dependencies: ["Documents", "Domain", "TestSupport", subprocess, logging],
            swiftSettings: house
        ),
        .testTarget(
            name: "OutsideTests",
            dependencies: ["Outside", "Documents", "Domain", "TestSupport", nioCore, nioPosix, nioHTTP1, nioSSL],
            swiftSettings: house
        ),
        .testTarget(
            name: "JobsTests",
            dependencies: [
                "Jobs", "Crew", "Stores", "Queue", "Domain", "LLM", "Outside", "PostgresClient", "RedisClient",
                "Embedded",
                "TestSupport", asyncHTTPClient, nioCore, logging,
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Worker", "Scheduler", "Jobs", "Crew", "Stores", "Queue", "Domain", "LLM", "PostgresClient",
                "RedisClient", "TestSupport", lifecycle, logging,
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "APITests",
            dependencies: [
                "API", "Jobs", "Stores", "Queue", "Domain", "PostgresClient", "RedisClient", "Embedded", "TestSupport",
                asyncHTTPClient, .product(name: "HummingbirdTesting", package: "hummingbird"), hummingbird, httpTypes,
                nioCore, nioHTTP1,
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "EmbeddedTests",
            dependencies: ["Embedded", "TestSupport", subprocess, logging],
            swiftSettings: house
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "TestSupport", "Embedded", "Queue", "Stores", "PostgresClient", "RedisClient", "Domain",
                asyncHTTPClient,
                nioCore, nioHTTP1, logging,
            ],
            swiftSettings: house
        ),
    ]
)
