import Crew
import Foundation
import Testing

/// Rates of providers, as the operator's price file sets them.
@Suite("Rates of providers")
struct ModelRateTests {
    private func table(_ rates: String) throws -> RateTable {
        try RateTable(file: Data("{\"rates\":\(rates)}".utf8))
    }

    @Test(
        "A rate holds for all models of its provider but those of a group, which have their own; a date changes nothing"
    )
    func groups() throws {
        let table = try table(
            """
            [{"provider":"openai","rpm":500,"tpm":200000},
             {"provider":"openai","group":"large","models":["gpt-4.1","gpt-4.1-mini"],"tpm":30000},
             {"provider":"anthropic","group":"sonnet","models":["claude-sonnet-4-6"],"rpm":50}]
            """
        )
        let all = try #require(table.rate(of: "gpt-4.1-nano", provider: "openai"))
        #expect(all.group == "all" && all.requests == 500 && all.tokens == 200_000)
        let large = try #require(table.rate(of: "gpt-4.1-2025-04-14", provider: "openai"))
        #expect(large.group == "large" && large.requests == nil && large.tokens == 30_000)
        #expect(table.rate(of: "gpt-4.1-mini", provider: "openai") == large)
        #expect(table.rate(of: "claude-sonnet-4-6", provider: "anthropic")?.requests == 50)
        #expect(table.rate(of: "claude-haiku-4-5", provider: "anthropic") == nil)
        #expect(table.rate(of: "offline-extractive-1", provider: "offline") == nil)
    }

    @Test("A file without rates sets none, and one without models leaves the shipped prices as they are")
    func halves() throws {
        let table = try RateTable(file: Data(#"{"models":[]}"#.utf8))
        #expect(table.rate(of: "gpt-4.1", provider: "openai") == nil)
        let prices = try PriceTable(file: Data(#"{"rates":[{"provider":"openai","rpm":1}]}"#.utf8))
        #expect(prices.price(of: "gpt-4.1", provider: "openai").input == 2_000)
    }

    @Test(
        "A rate that cannot be used says what is wrong and where",
        arguments: [
            ("7", "price file: \"rates\" must be an array of rates"),
            (#"[{"provider":"openai"}]"#, "price file: rates[0]: must have \"rpm\", \"tpm\" or both"),
            (
                #"[{"provider":"openai","rpm":0}]"#,
                "price file: rates[0].rpm: must be a whole number a minute, from 1 to 1000000"
            ),
            (
                #"[{"provider":"openai","tpm":1.5}]"#,
                "price file: rates[0].tpm: must be a whole number a minute, from 1 to 1000000000"
            ),
            (#"[{"provider":"other","rpm":1}]"#, "price file: rates[0].provider: must be openai or anthropic"),
            (
                #"[{"provider":"openai","rpm":1,"models":["m"]}]"#,
                "price file: rates[0].group: must name the models' group"
            ),
            (
                #"[{"provider":"openai","rpm":1,"group":"a:b"}]"#,
                "price file: rates[0].group: must be 1 to 64 of a to z"
            ),
            (#"[{"provider":"openai","rpm":1,"models":[]}]"#, "price file: rates[0].models: must be an array of names"),
            (
                #"[{"provider":"openai","rpm":1},{"provider":"openai","rpm":2,"group":"b"}]"#,
                "price file: rates[1]: openai has another rate for the same models or group"
            ),
            (
                """
                [{"provider":"openai","rpm":1,"group":"a","models":["m"]},
                 {"provider":"openai","rpm":2,"group":"b","models":["m","n"]}]
                """,
                "price file: rates[1]: openai has another rate for the same models or group"
            ),
        ]
    )
    func broken(rates: String, message: String) {
        do throws(PriceFileFault) {
            _ = try RateTable(file: Data("{\"rates\":\(rates)}".utf8))
            Issue.record("accepted")
        } catch {
            #expect(error.description.hasPrefix(message))
        }
    }
}
