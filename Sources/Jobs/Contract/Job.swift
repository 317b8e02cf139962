package import Domain

/// One kind of background work: what it carries, where it waits, how patient we are with it, and what it does.
///
/// Conform a struct, then follow the compiler: it asks for a ``JobKind`` case, and the case asks for its line in
/// ``JobKind/job``. A job that compiles is a job that every worker knows.
package protocol Job: Codable, Sendable {
    static var kind: JobKind { get }
    static var policy: JobPolicy { get }

    /// Does the work. Returning says how it ended; throwing means *failed, maybe later*.
    ///
    /// A job can run more than once: it commits its effects in ``JobContext/settle(_:)``, or returns ``Outcome/done`` and
    /// has none.
    func run(_ context: JobContext) async throws -> Outcome
}

/// How an attempt ended when it did not throw.
package enum Outcome: Sendable, Equatable {
    /// Finished, with no effect of its own in Postgres: the worker settles many such jobs in one statement.
    case done
    /// The same, with an answer for whoever awaits it (``JobQueue/result(of:within:)``): at most 64 KiB of JSON.
    case answer(JSON)
    /// Finished, and its own transaction has settled it: ``JobContext/settle(_:)`` returned.
    case settled
    /// Not yet: look again after this long. Uses up no attempt.
    case snooze(Duration, String?)
    /// Failed, and the other side said when to come back.
    case retry(after: Duration, String)
    /// It makes no sense any more.
    case cancel(String)
    /// Trying again cannot help: it is dead at once, and an operator may look at it.
    case refuse(String)
}

/// What the job was to write makes no sense any more: a run has ended, a row is gone. Nothing was written.
package struct Moot: Error, CustomStringConvertible {
    package let description: String
}

/// Another attempt owns the job: what this one did is rolled back and must be forgotten.
package struct Fenced: Error, CustomStringConvertible {
    package let job: Int
    package let attempt: Int

    package var description: String { "job \(job) attempt \(attempt) was fenced: another attempt owns the job" }
}
