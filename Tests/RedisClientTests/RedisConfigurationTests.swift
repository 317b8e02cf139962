import Testing

@testable import RedisClient

struct RedisConfigurationTests {
    private func configuration(_ url: String) throws -> RedisConfiguration { try RedisConfiguration(url: url) }

    @Test(
        "A good address is read",
        arguments: [
            ("redis://localhost", "localhost:6379", 0), ("redis://10.0.0.7:7000/3", "10.0.0.7:7000", 3),
            ("REDIS://cache_1.example.com/", "cache_1.example.com:6379", 0), ("redis://[::1]:6380", "[::1]:6380", 0),
            ("redis://h?db=4", "h:6379", 4), ("redis+unix:///run/redis.sock", "/run/redis.sock", 0),
            ("redis+unix:///run/a%20b.sock?db=2", "/run/a b.sock", 2), ("rediss://h:1/5", "h:1", 5),
        ]
    )
    func good(url: String, address: String, database: Int) throws {
        let configuration = try configuration(url)
        #expect(configuration.address == address)
        #expect(configuration.database == database)
        #expect((configuration.tls != nil) == url.hasPrefix("rediss"))
        #expect(configuration.credentials == nil)
    }

    @Test(
        "User and password are read and percent-decoded",
        arguments: [
            ("redis://:secret@h", nil, "secret"), ("redis://ann:p%40ss%2Fw%25@h", "ann", "p@ss/w%"),
            ("redis://ann:a:b@h", "ann", "a:b"), ("redis://:se@cret@h", nil, "se@cret"),
            ("redis+unix://ann:pw@/run/redis.sock", "ann", "pw"),
        ] as [(String, String?, String)]
    )
    func credentials(url: String, user: String?, password: String) throws {
        #expect(try configuration(url).credentials == RedisCredentials(user: user, password: password))
    }

    @Test(
        "A wrong address says what is wrong and shows an example, without the password",
        arguments: [
            ("", "begin with redis://"), ("localhost:6379", "begin with redis://"), ("http://h", "scheme"),
            ("redis://", "host is missing"), ("redis://:hunter2@", "host is missing"),
            ("redis://:hunter2@h:port", "port is not a number"), ("redis://h:0", "port"), ("redis://h:65536", "port"),
            ("redis://:hunter2@h/x", "database"), ("redis://h/-1", "database"),
            ("redis://hunter2@h", "without a password"),
            ("redis://ann:@h", "without a password"), ("redis://:hun/ter2@h", "as %2F, %3F and %23"),
            ("redis://:hun#ter2@h", "as %2F, %3F and %23"), ("redis://:hunter2%zz@h", "percent-encoded"),
            ("redis://a b", "characters no host name has"), ("redis://[::1]x", "follows the ]"),
            ("redis://h?cafile=/x", "only db=…"), ("rediss://h?ca=/x", "only cafile=… and db=…"),
            ("redis+unix://run/redis.sock", "three slashes"), ("redis+unix://", "path of the socket"),
        ]
    )
    func wrong(url: String, complaint: String) async throws {
        let error = try await failure {
            try RedisConfiguration(url: url, setting: "CACHE_URL")
        }
        #expect(error.code == .invalidURL)
        #expect(error.message.hasPrefix("CACHE_URL "))
        #expect(error.message.contains(complaint))
        #expect(error.message.contains("redis://:password@localhost:6379/0"))
        #expect(!error.message.contains("hunter2") && !error.message.contains("ter2"))
    }

    @Test("A missing file of authorities is found when the address is read")
    func missingAuthority() async throws {
        let error = try await failure {
            try RedisConfiguration(url: "rediss://:hunter2@h?cafile=/nowhere/ca.pem")
        }
        #expect(error.code == .invalidURL)
        #expect(error.message.contains("cafile=/nowhere/ca.pem") && error.message.contains("REDIS_URL"))
    }

    @Test("A dump of a configuration does not show the password")
    func hidden() throws {
        let configuration = try configuration("redis://ann:hunter2@h")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!"\(configuration) \(String(reflecting: configuration))".contains("hunter2"))
    }
}
