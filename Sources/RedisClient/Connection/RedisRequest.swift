import NIOCore

/// Commands that go out in one write and share one deadline.
struct RedisRequest: Sendable {
    let bytes: ByteBuffer
    let count: Int
    let started: NIODeadline
    let timeout: TimeAmount

    var deadline: NIODeadline { started + timeout }

    init(_ commands: [[String]], timeout: Duration, started: NIODeadline = .now()) {
        var bytes = ByteBuffer()
        for command in commands { CommandEncoder.encode(command, into: &bytes) }
        self.bytes = bytes
        count = commands.count
        self.started = started
        self.timeout = TimeAmount(within: timeout)
    }

    /// The same outcome for each command.
    func all(_ error: RedisError) -> [RedisOutcome] { Array(repeating: .failure(error), count: count) }
}

extension TimeAmount {
    /// A duration as nanoseconds, kept between zero and a year so that sums of deadlines cannot overflow.
    init(within duration: Duration) {
        let parts = min(max(duration, .zero), .seconds(31_536_000)).components
        self = .nanoseconds(parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
    }

    var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

extension [RedisOutcome] {
    /// The outcome of a request with one command.
    var onlyOutcome: RedisOutcome {
        first ?? .failure(RedisError(.protocolViolation, "A command to Redis was completed without an outcome."))
    }
}
