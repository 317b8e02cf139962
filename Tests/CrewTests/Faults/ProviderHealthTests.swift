import Crew
import Testing

@Suite("The health of providers")
struct ProviderHealthTests {
    private func health(
        _ state: ProviderMark.State,
        left: Duration = .zero,
        probing: Duration = .zero
    ) -> ProviderHealth {
        ProviderHealth([ProviderMark(provider: "p", state: state, left: left, probing: probing)])
    }

    @Test("A provider about which nothing is known, or a few faults only, is free")
    func free() {
        #expect(ProviderHealth([]).standing(of: "p") == .free)
        #expect(health(.counting).standing(of: "p") == .free && health(.counting).avoided.isEmpty)
    }

    @Test("A pause holds calls until its end, then one probe goes out, and the others look again every second")
    func paused() {
        #expect(health(.paused, left: .seconds(3)).standing(of: "p") == .held(.seconds(3)))
        #expect(health(.paused).standing(of: "p") == .probe)
        #expect(health(.paused, probing: .seconds(8)).standing(of: "p") == .held(.seconds(1)))
        #expect(health(.broken, left: .seconds(9)).standing(of: "p") == .held(.seconds(9)))
    }

    @Test(
        "A short pause is waited for; a long one, a breaker and a rejected key are passed over where another is routed"
    )
    func avoided() {
        #expect(health(.paused, left: .seconds(10)).avoided.isEmpty)
        #expect(health(.paused, left: .seconds(11)).avoided == ["p"])
        #expect(health(.broken, left: .seconds(9)).avoided == ["p"] && health(.broken).down.isEmpty)
        #expect(health(.broken).avoided.isEmpty, "nobody would ever try it again")
        #expect(health(.down).down == ["p"] && health(.down).standing(of: "p") == .down)
    }
}
