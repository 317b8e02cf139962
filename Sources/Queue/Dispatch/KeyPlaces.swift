package import RedisClient

/// The places of concurrency keys, put right from time to time.
extension Dispatch {
    /// Gives back places that belong to no job that Redis knows; does nothing while Redis is away.
    ///
    /// - Returns: how many.
    @discardableResult
    package func tidyPlaces() async throws(RedisError) -> Int {
        guard let generation else { return 0 }
        var given = 0
        for queue in queues {
            var cursor = "0"
            repeat {
                let reply = try await redis.run(
                    Scripts.tidy,
                    keys: [keys.prefix(of: queue)],
                    arguments: [String(generation), cursor]
                )
                guard let parts = reply.array, parts.count == 2, let next = parts[0].string else { break }
                given += parts[1].integer ?? 0
                cursor = next
            } while cursor != "0"
        }
        return given
    }
}
