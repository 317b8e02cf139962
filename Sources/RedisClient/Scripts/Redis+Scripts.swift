/// One script with what it is called with.
package typealias RedisScriptCall = (RedisScript, keys: [String], arguments: [String])

extension Redis {
    /// Runs a script.
    ///
    /// Called by its SHA-1; when the server does not know it (a restart, `SCRIPT FLUSH`), sent once more with its body.
    /// That is safe: `NOSCRIPT` means that nothing ran.
    ///
    /// - Parameters:
    ///   - script: The script.
    ///   - keys: `KEYS[1]…`: every key the script touches, or from which it derives them.
    ///   - arguments: `ARGV[1]…`.
    ///   - timeout: How long to wait for the reply, each of the two times; nil is the configuration's `commandTimeout`.
    /// - Returns: The script's reply.
    /// - Throws: ``RedisError``, as ``send(_:timeout:)`` does.
    package func run(
        _ script: RedisScript,
        keys: [String],
        arguments: [String],
        timeout: Duration? = nil
    ) async throws(RedisError) -> RedisReply {
        try await runAll([(script, keys: keys, arguments: arguments)], timeout: timeout).onlyOutcome.get()
    }

    /// Runs several scripts in one write; the results come in the order of the calls.
    ///
    /// Every call stands alone. One that the server answers with `NOSCRIPT` is sent again with the body in a second
    /// write, thus after the others: calls that must run in order belong into one script.
    package func runAll(_ calls: [RedisScriptCall], timeout: Duration? = nil) async -> [RedisOutcome] {
        var outcomes = await pipeline(calls.map { $0.bySHA(keys: $1, arguments: $2) }, timeout: timeout)
        let unknown = outcomes.indices.filter { Self.isNoScript(outcomes[$0]) }
        if !unknown.isEmpty {
            let retried = await pipeline(Self.withBodies(unknown.map { calls[$0] }), timeout: timeout)
            for (index, outcome) in zip(unknown, retried) { outcomes[index] = outcome }
        }
        return zip(calls, outcomes).map { call, outcome in outcome.mapError { $0.inScript(call.0.name) } }
    }

    /// Runs a script without waiting for it; where no connection is up, or the reply is lost, nobody hears of it.
    ///
    /// For what may be lost. A server that does not know the script is sent its body, as ``run(_:keys:arguments:timeout:)``
    /// does.
    package func post(_ script: RedisScript, keys: [String], arguments: [String]) {
        post(script.bySHA(keys: keys, arguments: arguments)) { outcome in
            guard Self.isNoScript(outcome) else { return }
            self.post(script.byBody(keys: keys, arguments: arguments)) { _ in }
        }
    }

    private static func isNoScript(_ outcome: RedisOutcome) -> Bool {
        if case .failure(let error) = outcome { error.serverPrefix == "NOSCRIPT" } else { false }
    }

    /// The body goes along once for each script: after that call the server knows it again.
    private static func withBodies(_ calls: [RedisScriptCall]) -> [[String]] {
        var known: Set<RedisScript> = []
        return calls.map { script, keys, arguments in
            known.insert(script).inserted
                ? script.byBody(keys: keys, arguments: arguments) : script.bySHA(keys: keys, arguments: arguments)
        }
    }
}
