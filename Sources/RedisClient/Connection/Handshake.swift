/// What is said first on every connection, and whether the answers let it be used.
struct Handshake {
    private enum Step { case login, name, select, identify, ping }

    private let configuration: RedisConfiguration
    private let steps: [Step]

    init(_ configuration: RedisConfiguration) {
        self.configuration = configuration
        let login: [Step] = configuration.credentials == nil ? [] : [.login]
        let select: [Step] = configuration.database == 0 ? [] : [.select]
        // The ping finds out early that a password is wanted, or that the server still loads its data.
        steps = login + [.name] + select + [.identify, .ping]
    }

    var commands: [[String]] { steps.map(command) }

    /// The connection's number in the server, nil where the server does not tell; or why it cannot be used.
    func verdict(_ outcomes: [RedisOutcome]) -> Result<Int?, RedisError> {
        var serverID: Int?
        for (step, outcome) in zip(steps, outcomes) {
            switch outcome {
            case .success(let reply): if step == .identify { serverID = reply.integer }
            case .failure(let error): if let problem = problem(step, error) { return .failure(problem) }
            }
        }
        return .success(serverID)
    }

    private func command(_ step: Step) -> [String] {
        switch step {
        case .login: ["AUTH"] + (configuration.credentials.map { [$0.user, $0.password].compactMap(\.self) } ?? [])
        case .name: ["CLIENT", "SETNAME", configuration.clientName]
        case .select: ["SELECT", String(configuration.database)]
        case .identify: ["CLIENT", "ID"]
        case .ping: ["PING"]
        }
    }

    private func problem(_ step: Step, _ error: RedisError) -> RedisError? {
        guard let text = error.serverMessage else {
            return failed(
                "it takes the connection but does not answer. Check that the server is not hung or overloaded"
            )
        }
        switch step {
        // The server's own text may quote what was sent, so only its first word is shown.
        case .login:
            let word = error.serverPrefix ?? ""
            return failed("the login was refused (\(word)). Correct user and password in \(configuration.setting)")
        case .select:
            return failed("database \(configuration.database) is refused (\(text)). Correct \(configuration.setting)")
        case .ping where error.serverPrefix == "NOAUTH":
            return failed("the server wants a password. Write it into \(configuration.setting): redis://:password@host")
        // The user may not ping but may do what it is here for.
        case .ping: return error.serverPrefix == "NOPERM" ? nil : failed(text)
        // A courtesy to whoever reads CLIENT LIST; some hosted servers forbid it.
        case .name, .identify: return nil
        }
    }

    private func failed(_ reason: String) -> RedisError {
        .connectFailed(to: configuration.address, because: reason)
    }
}
