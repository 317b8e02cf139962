import Crew
import Domain
import Foundation
import PostgresClient
import Stores
import TestSupport
import Testing

/// What a search finds, on a real Postgres.
@Suite("Searching the context")
struct ContextSearchTests {
    @Test("Words are found in other forms, in the language of each file")
    func languages() async throws {
        let house = try await ContextHouse.open()
        try await house.add(
            "en.md",
            "The fleets of the north are planning that their trailers will be cooled with loggers."
        )
        try await house.add(
            "de.md",
            "Die Häuser der Spediteure und die Kühlung sind mit den Verträgen nicht zufrieden."
        )
        try await house.add("ru.md", "Компании перевозят холодные продукты через страну каждый день недели.")
        try await house.add("ja.md", "冷蔵トレーラーの温度を記録する。")
        try await house.work()
        for (query, file) in [
            ("planned cooling", "en.md"), ("Haus Vertrag", "de.md"), ("продуктов", "ru.md"), ("温度", "ja.md"),
        ] {
            #expect(try await house.search(query).first?.filename == file, "\(query)")
        }
        await house.world.close()
    }

    @Test("A name or code that is misspelt is found by its letters")
    func misspelt() async throws {
        let house = try await ContextHouse.open()
        try await house.add("a.md", "The meeting with Kjellstrom about the TX-4471 is on Friday.")
        try await house.add("b.md", "The meeting with Andersen about nothing is on Monday.")
        try await house.work()
        for query in ["Kjelstrom", "kjellström", "TX-4471"] {
            #expect(try await house.search(query).first?.filename == "a.md", "\(query)")
        }
        #expect(try await house.search("zeppelin").isEmpty)
        await house.world.close()
    }

    @Test("Rare words weigh more than common ones, and nothing in a query is an operator")
    func ranking() async throws {
        let house = try await ContextHouse.open()
        for number in 0..<20 {
            try await house.add("n\(number).md", "The market for trailers grows, number \(number).")
        }
        try await house.add("rare.md", "The market for insulin grows.")
        try await house.work()
        #expect(try await house.search("market insulin").first?.filename == "rare.md")
        for query in ["' | !(", "a & b:* <-> \\", "insulin'; DROP TABLE runs", "\u{1F600}", "the of and", ""] {
            _ = try await house.search(query)
        }
        #expect(try await house.search("insulin:* & !market | ''").first?.filename == "rare.md")
        await house.world.close()
    }

    @Test("Another engagement's files are never found, though they share the index")
    func apart() async throws {
        let house = try await ContextHouse.open()
        try await house.add("mine.md", "Our secret trailers.")
        try await house.work()
        let other = Engagement.ID.make()
        _ = try await house.world.postgres.query(
            """
            INSERT INTO engagements (id, tenant_id, name, client, slug, brief, budget_nanos)
            VALUES (\(other), \(house.tenant), 'O', 'C', 'o', 'B', 1)
            """
        )
        #expect(try await house.store.search(ContextQuery("trailers"), in: other, generation: 1, limit: 5).isEmpty)
        #expect(try await house.store.state(of: house.engagement, Tenant.ID.make()) == nil)
        await house.world.close()
    }
}
