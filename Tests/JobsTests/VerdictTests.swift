import Domain
import Jobs
import Queue
import Testing

/// Ring 1: from how an attempt ended to what the ledger says, no await.
@Suite("Verdicts")
struct VerdictTests {
    struct Broken: Error {}

    private let retry = RetryPolicy(attempts: 3, base: .seconds(2), ceiling: .seconds(10))

    private func job(attempt: Int = 1, failures: Int = 0, unreadable: Int = 0) -> ClaimedJob {
        ClaimedJob(
            id: 1,
            attempt: attempt,
            kind: "k",
            payload: "{}",
            queue: "q",
            tenant: "t",
            failures: failures,
            maxAttempts: 3,
            unreadable: unreadable
        )
    }

    private func verdict(_ ending: Verdict.Ending, _ job: ClaimedJob, jitter: Double = 1) -> Settlement? {
        Verdict.settlement(of: ending, job: job, retry: retry, jitter: jitter)
    }

    @Test("An answer that the ledger cannot keep is refused, and does not hold up others", arguments: ["long", "NUL"])
    func refusedAnswers(why: String) {
        let text = why == "long" ? String(repeating: "x", count: Verdict.longestAnswer) : "a\0b"
        guard case .dead(.refused, let error) = verdict(.returned(.answer(.string(text))), job()) else {
            Issue.record("it was not refused")
            return
        }
        #expect(error.contains(why == "long" ? "65538 bytes" : "NUL"))
    }

    @Test("What a job returns is what happens to it")
    func outcomes() {
        #expect(verdict(.returned(.done), job()) == .done)
        #expect(verdict(.returned(.settled), job()) == nil)
        #expect(verdict(.returned(.answer(["pages": 3])), job()) == .finished(result: #"{"pages":3}"#))
        #expect(verdict(.returned(.snooze(.seconds(3), "soon")), job()) == .snooze(after: .seconds(3), error: "soon"))
        #expect(verdict(.returned(.cancel("moot")), job()) == .cancelled("moot"))
        #expect(verdict(.returned(.refuse("never")), job()) == .dead(.refused, error: "never"))
        #expect(
            verdict(.returned(.retry(after: .seconds(7), "busy")), job()) == .retry(after: .seconds(7), error: "busy")
        )
        #expect(
            verdict(.returned(.retry(after: .seconds(7), "busy")), job(failures: 2)) == .dead(.failed, error: "busy")
        )
    }

    @Test("A failure waits twice as long each time, jittered over the whole span, up to the ceiling, then it is dead")
    func failures() {
        #expect(verdict(.threw(Broken()), job()) == .retry(after: .seconds(2), error: "Broken()"))
        #expect(verdict(.threw(Broken()), job(failures: 1)) == .retry(after: .seconds(4), error: "Broken()"))
        #expect(verdict(.threw(Broken()), job(failures: 1), jitter: 0) == .retry(after: .zero, error: "Broken()"))
        #expect(verdict(.threw(Broken()), job(failures: 2)) == .dead(.failed, error: "Broken()"))
        #expect(retry.delay(afterFailures: 40, of: 99, jitter: 1) == .seconds(10))
    }

    @Test("A time-out is a failure; a shutdown and a request are not")
    func interruptions() {
        #expect(verdict(.timedOut(.seconds(5)), job())?.state == .queued)
        #expect(verdict(.timedOut(.seconds(5)), job(failures: 2))?.state == .dead)
        #expect(verdict(.interrupted, job(failures: 2)) == .handBack)
        #expect(verdict(.cancelled, job())?.state == .cancelled)
    }

    @Test("What this worker cannot read goes back unspent, ever later, and is buried after about an hour")
    func unreadable() {
        func wait(after count: Int) -> Settlement? { verdict(.unreadable("new kind"), job(unreadable: count)) }
        #expect(wait(after: 0) == .unreadable(after: .seconds(1), error: "new kind"))
        #expect(wait(after: 4) == .unreadable(after: .seconds(16), error: "new kind"))
        #expect(wait(after: 29) == .unreadable(after: .seconds(60), error: "new kind"))
        #expect(wait(after: 64) == .dead(.unreadable, error: "new kind"))
        // Snoozes, losses and hand-overs spend attempts too; the hour begins with the first worker that cannot read it.
        #expect(
            verdict(.unreadable("new kind"), job(attempt: 500)) == .unreadable(after: .seconds(1), error: "new kind")
        )
    }
}
