import API
import FoundationEssentials
import Glibc
import Logging

/// A setting that is missing or wrong. The text says which, what is wrong, and what to do; never a secret.
struct SettingError: Error, CustomStringConvertible {
    let description: String
    /// The setting is well-formed, and what it leads to does not answer or is not ready.
    let isUnreachable: Bool

    init(_ setting: String, _ problem: String, _ remedy: String, isUnreachable: Bool = false) {
        description = "\(setting) \(problem). \(remedy)"
        self.isUnreachable = isUnreachable
    }
}

/// Settings come from the environment; a `.env` file in the working folder is read first, and the environment wins.
struct Settings: Sendable {
    let environment: [String: String]

    static func load() -> Settings {
        let file = (try? String(contentsOf: URL(filePath: ".env"), encoding: .utf8)) ?? ""
        return Settings(environment: parse(file).merging(ProcessInfo.processInfo.environment) { _, set in set })
    }

    /// `NAME=value` lines; `#` begins a comment line; quotes around a value are dropped.
    static func parse(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) where !line.drop(while: \.isWhitespace).hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            // `export NAME=…` as shells have it.
            let name = String(parts[0].filter { !$0.isWhitespace }).replacing(/^export(?=[A-Z])/, with: "")
            var value = String(parts[1]).trimmed
            if value.count >= 2, let quote = value.first, quote == "\"" || quote == "'", value.last == quote {
                value = String(value.dropFirst().dropLast())
            }
            values[name] = value
        }
        return values
    }

    subscript(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    func required(_ name: String, example: String) throws -> String {
        guard let value = self[name] else {
            throw SettingError(
                name,
                "is not set",
                "Set it to something like \(example), or run `groundcrew dev`, which brings its own."
            )
        }
        return value
    }

    func integer(_ name: String, default fallback: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let text = self[name] else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw SettingError(
                name,
                "is \"\(text)\"",
                "It must be a whole number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return value
    }

    /// A span of time such as `90s`, `15m`, `24h`, `14d`; a minute at least, ten years at most.
    func span(_ name: String, default fallback: Duration) throws -> Duration {
        guard let text = self[name] else { return fallback }
        guard let span = Span(argument: text), span.duration >= .seconds(60), span.duration <= .seconds(315_360_000)
        else {
            throw SettingError(
                name,
                "is \"\(text)\"",
                "It must be a span such as 90s, 15m, 24h or 14d, from 1m to 3650d."
            )
        }
        return span.duration
    }

    func flag(_ name: String) -> Bool { self[name] == "1" }

    var logLevel: Logger.Level {
        get throws {
            guard let text = self["GC_LOG_LEVEL"] else { return .info }
            guard let level = Logger.Level(rawValue: text) else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw SettingError("GC_LOG_LEVEL", "is \"\(text)\"", "It must be one of \(levels).")
            }
            return level
        }
    }

    /// Test-only settings that are on; `/api/health` shows them (decision D-130).
    var testSettings: [String] {
        ["GC_SIMULATE", "GC_TEST_HOOKS"].filter(flag)
            + (["GC_TEST_MUTANT", "GC_SIGNED_URL_TTL"] + RateTier.limited.map(\.setting)).filter { self[$0] != nil }
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
