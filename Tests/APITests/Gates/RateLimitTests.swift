import Domain
import Embedded
import Foundation
import HTTPTypes
import RedisClient
import Stores
import TestSupport
import Testing

@testable import API

@Suite("Rate limits", .serialized)
struct RateLimitTests {
    private let tight = APIService.Settings.forTests(limits: [.read: RateLimit(count: 120, seconds: 60)])

    @Test("SC-27, X-8: of 121 requests over two servers 120 are admitted, and Remaining takes each value once")
    func exact() async throws {
        try await APIUnderTest.run(servers: 2, settings: tight) { api in
            var replies: [Reply] = []
            for round in 0..<11 {
                replies += try await withThrowingTaskGroup(of: Reply.self) { group in
                    for index in 0..<11 {
                        group.addTask { try await api.get("/api/billing", server: (round + index) % 2) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            }
            let admitted = replies.filter { $0.status == 200 }
            #expect(admitted.count == 120)
            #expect(Set(admitted.compactMap { $0.number("X-RateLimit-Remaining") }) == Set(0..<120))
            let refused = try #require(replies.first { $0.status == 429 })
            #expect(refused.body == ["error": "Too many requests"])
            #expect((1...60).contains(refused.number("Retry-After") ?? 0))
            #expect(Set(replies.compactMap { $0.number("X-RateLimit-Reset") }).count == 1)
            #expect(Set(replies.compactMap { $0.number("X-RateLimit-Limit") }) == [120])
            let ahead = (refused.number("X-RateLimit-Reset") ?? 0) - Int(Date().timeIntervalSince1970)
            #expect((0...60).contains(ahead))
        }
    }

    @Test("X-7: another key, another tier and another tenant have windows of their own")
    func principals() async throws {
        try await APIUnderTest.run(settings: .forTests(limits: [.read: RateLimit(count: 1, seconds: 60)])) { api in
            #expect(try await api.get("/api/billing").status == 200)
            #expect(try await api.get("/api/billing").status == 429)
            let other = try #require(
                try await api.world.stores.accounts.createKey(
                    tenant: api.tenant,
                    name: "o",
                    scopes: [.readOnly],
                    mode: .live
                )
            )
            #expect(try await api.get("/api/billing", api.bearer(other.plaintext)).status == 200)
            #expect(try await api.post("/api/engagements", APIUnderTest.draft).status == 201)
        }
    }

    @Test("X-10: a refused request has no effect; 404 and 400 count")
    func noEffect() async throws {
        try await APIUnderTest.run(settings: .forTests(limits: [.api: RateLimit(count: 2, seconds: 60)])) { api in
            let invalid = try await api.post("/api/engagements", "[")
            #expect(invalid.status == 400)
            #expect(try await api.servers[0](.delete, "/api/engagements/cnone", nil, api.bearer(api.key)).status == 404)
            #expect(try await api.post("/api/engagements", APIUnderTest.draft).status == 429)
            #expect(try await api.get("/api/engagements").body == [])
        }
    }

    @Test("X-9: once the window has passed the caller is admitted again")
    func again() async throws {
        try await APIUnderTest.run(settings: .forTests(limits: [.read: RateLimit(count: 2, seconds: 1)])) { api in
            #expect(try await api.get("/api/billing").status == 200)
            #expect(try await api.get("/api/billing").status == 200)
            try await eventually(within: .seconds(5), "the window to pass", poll: .milliseconds(100)) {
                try await api.get("/api/billing").status == 200
            }
        }
    }

    @Test("X-8: with Redis away each server admits its share and refuses the rest")
    func withoutRedis() async throws {
        let redis = try await TestStack.shared().dedicatedRedis()
        let settings = APIService.Settings.forTests(limits: [.read: RateLimit(count: 5, seconds: 60)], replicas: 2)
        try await APIUnderTest.run(servers: 2, settings: settings, redisURL: redis.url) { api in
            await redis.stop()
            try await eventually(within: .seconds(5), "the connection to end") { !api.world.redis.isConnected }
            for server in 0..<2 {
                var statuses: [Int] = []
                for _ in 0..<4 { statuses.append(try await api.get("/api/billing", server: server).status) }
                #expect(statuses == [200, 200, 200, 429])
            }
        }
    }

    @Test("X-7: logins are limited by address, and failed credentials count against it")
    func logins() async throws {
        try await APIUnderTest.run(settings: .forTests(limits: [.auth: RateLimit(count: 3, seconds: 60)])) { api in
            let here = ["X-Forwarded-For": "10.0.0.1, 203.0.113.7"]
            let failed = try await api.get("/api/billing", here)
            #expect(failed.status == 401 && failed.number("X-RateLimit-Remaining") == 2)
            let wrong = #"{"email":"a@b","password":"x"}"#
            for status in [401, 401, 429] {
                #expect(try await api.post("/api/auth/login", wrong, here).status == status)
            }
            #expect(try await api.post("/api/auth/login", wrong, ["X-Forwarded-For": "203.0.113.8"]).status == 401)
            // A failed credential stays 401, however many there were (contract X-11).
            #expect(try await api.get("/api/billing", here).status == 401)
        }
    }

    @Test(
        "O-3: no window of any position ever holds more than N admissions, but for a twentieth, whatever the clock does"
    )
    func window() {
        var generator = SystemRandomNumberGenerator()
        var window = SlidingWindow()
        let limit = RateLimit(count: 7, seconds: 1)
        var now: Int64 = 1_000_000_000
        var admitted: [Int64] = []
        for _ in 0..<5000 {
            now += Int64.random(in: -20_000...90_000, using: &generator)
            let answer = window.admit(at: now, limit)
            if answer.isAdmitted { admitted.append(answer.now) }
        }
        #expect(zip(admitted, admitted.dropFirst(7)).allSatisfy { $1 - $0 >= 950_000 })
    }

    @Test("X-9: Reset is a whole second, at most a window ahead, and then all that came at once is free again")
    func reset() {
        var window = SlidingWindow()
        let limit = RateLimit(count: 120, seconds: 60)
        let began: Int64 = 1_000_400_000
        let answers = (0..<121).map { window.admit(at: began + Int64($0) * 20_000, limit) }
        #expect(answers.count(where: \.isAdmitted) == 120)
        #expect(Set(answers.map(\.resetSecond)) == [1060])
        let early = window.admit(at: 1_059_999_999, limit)
        #expect(!early.isAdmitted && early.retryAfter == 1)
        let again = window.admit(at: 1_060_000_000, limit)
        #expect(again.isAdmitted && again.remaining == 119)
    }

    @Test("O-3: what is used at the end of a window counts in the next one")
    func edges() {
        var window = SlidingWindow()
        let limit = RateLimit(count: 120, seconds: 60)
        _ = window.admit(at: 1_000_000_000, limit)
        for _ in 0..<119 { #expect(window.admit(at: 1_059_900_000, limit).isAdmitted) }
        #expect(window.admit(at: 1_060_000_000, limit).isAdmitted, "the first one's place")
        #expect(!window.admit(at: 1_060_100_000, limit).isAdmitted)
        #expect(!window.admit(at: 1_116_000_000, limit).isAdmitted)
        #expect(window.admit(at: 1_119_000_000, limit).isAdmitted)
    }

    @Test("the windows of Redis and of a process without it are the same, whatever comes")
    func sameRule() async throws {
        let world = try await World.fresh()
        let (redis, namespace) = (world.redis, world.namespace)
        let limit = RateLimit(count: 10, seconds: 2)
        let limiter = RateLimiter(redis: redis, namespace: namespace, settings: RateSettings(limits: [.read: limit]))
        var window = SlidingWindow()
        let first = try #require(await limiter.look("p", .read))
        #expect(first.isAdmitted && window.admit(at: first.now, limit, counts: false) == first)
        for _ in 0..<40 {
            let theirs = try #require(await limiter.admit("p", .read))
            #expect(window.admit(at: theirs.now, limit) == theirs)
        }
        let look = try #require(await limiter.look("p", .read))
        #expect(!look.isAdmitted && window.admit(at: look.now, limit, counts: false) == look)
        try await eventually(within: .seconds(5), "the first cohort to leave", poll: .milliseconds(20)) {
            try #require(await limiter.look("p", .read)).isAdmitted
        }
        let later = try #require(await limiter.admit("p", .read))
        #expect(window.admit(at: later.now, limit) == later)
        await world.close()
    }

    @Test("requests at the same time are admitted together as far as it goes; a list as it was kept before counts on")
    func together() async throws {
        let world = try await World.fresh()
        let limit = RateLimit(count: 10, seconds: 60)
        let settings = RateSettings(limits: [.read: limit])
        let limiter = RateLimiter(redis: world.redis, namespace: world.namespace, settings: settings)
        // Two admissions as they were written down before there were cohorts.
        let moment = Int64(Date.now.timeIntervalSince1970 * 1_000_000) - 30_000_000
        let key = "\(world.namespace):{rl:p}:read"
        _ = try await world.redis.send(["LPUSH", key, "\(moment)", "\(moment)"])
        let admissions = await withTaskGroup(of: Admission?.self) { group in
            for _ in 0..<40 { group.addTask { await limiter.admit("p", .read) } }
            var admissions: [Admission] = []
            for await case let admission? in group { admissions.append(admission) }
            return admissions
        }
        let admitted = admissions.filter(\.isAdmitted)
        #expect(admissions.count == 40 && admitted.map(\.remaining).sorted() == Array(0..<8))
        #expect(Set(admissions.map(\.resets)) == [moment + 60_000_000])
        await world.close()
    }

    @Test("a rate is read as count/seconds and nothing else")
    func settings() {
        #expect(RateLimit("120/60") == RateLimit(count: 120, seconds: 60))
        for text in ["", "120", "0/60", "1/0", "a/b", "1/2/3", "-1/60", "1/86401"] { #expect(RateLimit(text) == nil) }
    }
}
