import Domain
import Foundation
import PostgresClient
import Queue
import Stores
import Synchronization
import TestSupport
import Testing

@testable import API

@Suite("Collection tasks", .serialized)
struct CollectionTaskTests {
    @Test("T-11, T-12, SC-25: a new task waits for its money, with exactly the documented members in their order")
    func created() async throws {
        try await APIUnderTest.run { api in
            let draft = CollectionDraft.body(["example_media_key": "\"examples/a.mp4\""])
            let reply = try await api.decide("/tasks", draft)
            #expect(reply.status == 201)
            let task = try #require(reply.data?.objectValue)
            #expect(Set(task.keys) == Set(CollectionDraft.members) && reply.names(CollectionDraft.members))
            #expect(task["id"]?.stringValue?.wholeMatch(of: /tsk_[0-9a-hjkmnp-tv-z]{26}/) != nil)
            #expect(task["org_id"] == .string("org_\(api.tenant)"))
            #expect(task["status"] == "funding" && task["device_requirement"] == "any")
            #expect(task["budget_cents"] == 25000 && task["funded_cents"] == 0 && task["approved_count"] == 0)
            #expect(task["modalities"] == ["video"] && task["example_media_key"] == "examples/a.mp4")
            for moment in ["created_at", "updated_at"] {
                #expect(task[moment]?.stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
            }
            let shown = try await api.collect("/tasks/\(task["id"]?.stringValue ?? "")")
            #expect(shown.status == 200 && shown.text == reply.text)
        }
    }

    @Test("T-13, D-61: without Stripe there is no funding_url, and the operator's money opens the task, once")
    func funding() async throws {
        try await APIUnderTest.run { api in
            let id = try await api.task(reward: 100, target: 3, funded: false)
            #expect(try await api.collect("/tasks/\(id)").data?["funding_url"] == .null)
            let desk = api.world.stores.collectionDesk
            #expect(try await desk.fund(ID(id), amount: 299) == nil)
            #expect(try await desk.fund(ID(id), amount: 301)?.status == .open)
            #expect(try await desk.fund(ID(id), amount: nil) == nil)
            let task = try await api.collect("/tasks/\(id)").data
            #expect(task?["status"] == "open" && task?["funded_cents"] == 301)
            #expect(try await api.world.count("kind LIKE 'stripe.%'") == 0)
        }
    }

    private final class Told: Sendable {
        let tasks = Mutex<[String]>([])
        let refunds = Mutex<[String]>([])
        let submissions = Mutex<[String]>([])
    }

    @Test("T-13, J-10, J-11: with Stripe, a task and an approval each ask for their job in their own transaction")
    func payments() async throws {
        let told = Told()
        let jobs = PaymentJobs(
            checkout: { task, _ in told.tasks.withLock { $0.append(task.id.rawValue) } },
            fundingURL: { "https://checkout.example/\($0.id)" },
            transfer: { submission, _, _ in told.submissions.withLock { $0.append(submission.id.rawValue) } },
            refund: { task, _ in told.refunds.withLock { $0.append(task.id.rawValue) } }
        )
        try await APIUnderTest.run(settings: .unlimited(paymentJobs: jobs)) { api in
            let made = try await api.decide("/tasks", CollectionDraft.body([:]))
            let task = try #require(made.data?["id"]?.stringValue)
            #expect(made.data?["funding_url"] == .string("https://checkout.example/\(task)"))
            _ = try await api.world.stores.collectionDesk.fund(ID(task), amount: nil)
            let contributor = try await api.contributor()
            let first = try await api.submission(for: task, by: contributor)
            let second = try await api.submission(for: task, by: contributor)
            #expect(try await api.decide("/submissions/\(first)/reject").status == 200)
            #expect(try await api.decide("/submissions/\(second)/approve").status == 200)
            #expect(try await api.decide("/submissions/\(second)/approve").status == 409)
            #expect(told.tasks.withLock { $0 } == [task] && told.submissions.withLock { $0 } == [second])
            #expect(try await api.decide("/tasks/\(task)/cancel").status == 200)
            #expect(told.refunds.withLock { $0 }.isEmpty, "the operator booked the money, and gives it back")
        }
    }

    @Test("T-10, T-12, T-14, SC-25: every field at and beyond its limits")
    func validation() async throws {
        try await APIUnderTest.run { api in
            for changes in CollectionDraft.good {
                let reply = try await api.decide("/tasks", CollectionDraft.body(changes))
                #expect(reply.status == 201, "\(changes.keys) \(reply.text)")
                #expect(reply.data?["modalities"] == ["video"])
            }
            for (changes, path) in CollectionDraft.bad {
                let reply = try await api.decide("/tasks", CollectionDraft.body(changes))
                #expect(reply.status == 400 && reply.code == "validation_error", "\(changes.keys) \(path)")
                #expect(reply.faultPaths == [path], "\(changes.keys) \(reply.text)")
            }
            #expect(try await api.collect("/tasks").data?.arrayValue?.count == CollectionDraft.good.count)
        }
    }

    @Test("T-14, SC-25: a body with five faults is told all five; one that is no object has no details")
    func allFaults() async throws {
        try await APIUnderTest.run { api in
            let reply = try await api.decide(
                "/tasks",
                #"{"title":"x","instructions":1,"modalities":["smell"],"reward_cents":"250","example_media_key":"../x"}"#
            )
            let paths = [
                "title", "instructions", "modalities[0]", "reward_cents", "target_submissions", "example_media_key",
            ]
            #expect(reply.status == 400 && reply.faultPaths == paths)
            let fields = reply.body["error"]?["details"]?["fields"]?.arrayValue ?? []
            #expect(fields.allSatisfy { $0["message"]?.stringValue?.isEmpty == false })
            for body in ["[", "[]", "null", "{\"title\":\"a\\u0000b\"}"] {
                let reply = try await api.decide("/tasks", body)
                #expect(
                    reply.status == 400 && reply.code == "validation_error" && reply.body["error"]?["details"] == nil
                )
            }
        }
    }

    @Test("T-15, D-64: the list is newest first, and can be read in parts that neither repeat nor leave out a task")
    func list() async throws {
        try await APIUnderTest.run { api in
            #expect(try await api.collect("/tasks").text == #"{"data":[]}"#)
            var ids: [String] = []
            for _ in 0..<5 { ids.insert(try await api.task(funded: false), at: 0) }
            func listed(_ reply: Reply) -> [String] {
                reply.data?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            }
            let all = try await api.collect("/tasks")
            #expect(listed(all) == ids && all.header("Link") == nil && all.names(CollectionDraft.members))
            var read: [String] = []
            var next: String? = "/tasks?limit=2"
            while let path = next {
                let reply = try await api.collect(path)
                read += listed(reply)
                next = reply.header("Link")?.firstMatch(of: /<\/api\/v1(.*)>; rel="next"/).map { String($0.1) }
            }
            #expect(read == ids)
            for query in ["limit=0", "limit=1001", "limit=2.5", "limit=", "limit=x"] {
                #expect(try await api.collect("/tasks?\(query)").faultPaths == ["limit"], "\(query)")
            }
            #expect(try await api.collect("/tasks?starting_after=tsk_none").faultPaths == ["starting_after"])
        }
    }

    @Test("S-41: cancelling a task that was paid through Stripe asks for what is not spent, once")
    func refund() async throws {
        let told = Told()
        let jobs = PaymentJobs(
            checkout: { _, _ in },
            fundingURL: { _ in nil },
            transfer: { _, _, _ in },
            refund: { task, _ in told.refunds.withLock { $0.append(task.id.rawValue) } }
        )
        try await APIUnderTest.run(settings: .unlimited(paymentJobs: jobs)) { api in
            let task = try await api.task()
            _ = try await api.world.postgres.query("UPDATE collect_tasks SET funded_by = 'cs_1', approved_count = 1")
            for status in [200, 409] { #expect(try await api.decide("/tasks/\(task)/cancel").status == status) }
            #expect(told.refunds.withLock { $0 } == [task])
            #expect(
                try await api.count("SELECT refund_cents FROM collect_tasks WHERE refund_status = 'pending'") == 250
            )
        }
    }

    @Test("S-41: cancelling a task that waits for its money has its page at Stripe closed, once; a paid one's is left")
    func closedPage() async throws {
        let told = Told()
        let jobs = PaymentJobs(
            checkout: { _, _ in },
            fundingURL: { _ in nil },
            transfer: { _, _, _ in },
            closePage: { task, _ in told.refunds.withLock { $0.append(task.id.rawValue) } }
        )
        try await APIUnderTest.run(settings: .unlimited(paymentJobs: jobs)) { api in
            let waiting = try await api.task(funded: false)
            for status in [200, 409] { #expect(try await api.decide("/tasks/\(waiting)/cancel").status == status) }
            let paid = try await api.task()
            #expect(try await api.decide("/tasks/\(paid)/cancel").status == 200)
            #expect(told.refunds.withLock { $0 } == [waiting])
        }
    }

    @Test("S-41: where Stripe is connected, the job that closes the page comes with the cancellation")
    func closingJob() async throws {
        let payments = PaymentSettings(webhookSecrets: [], modes: [.test], prices: .none)
        try await APIUnderTest.run(settings: .forTests(payments: payments)) { api in
            _ = try await api.world.postgres.query(
                """
                INSERT INTO collect_tasks (id, tenant_id, livemode, title, instructions, reward_cents,
                  target_submissions) VALUES ('tsk_1', \(api.tenant), false, 'T', 'Walk along.', 50, 100)
                """
            )
            #expect(try await api.decide("/tasks/tsk_1/cancel").status == 200)
            #expect(try await api.world.count("kind = 'stripe.expire' AND payload->>'task' = 'tsk_1'") == 1)
        }
    }

    @Test("S-41, T-29: a task is cancelled while it is funding or open, and once")
    func cancel() async throws {
        try await APIUnderTest.run { api in
            for funded in [false, true] {
                let id = try await api.task(funded: funded)
                let reply = try await api.decide("/tasks/\(id)/cancel")
                #expect(reply.status == 200 && reply.data?["status"] == "cancelled")
                #expect(reply.names(CollectionDraft.members))
                let again = try await api.decide("/tasks/\(id)/cancel")
                #expect(again.status == 409 && again.code == "conflict")
                #expect(try await api.world.stores.collectionDesk.fund(ID(id), amount: nil) == nil)
            }
            #expect(try await api.decide("/tasks/tsk_none/cancel").status == 404)
        }
    }
}
