/// Two buckets that the whole fleet takes from: requests, and tokens that they may need.
package struct RateBucket: Sendable, Hashable {
    /// What is shared, `openai:1a2b3c4d:all`. Never a secret: it stands in Redis.
    package let name: String
    /// Requests a minute; nil is any number.
    package let requests: Int?
    /// Tokens a minute; nil is any number.
    package let tokens: Int?

    /// - Parameters:
    ///   - name: at most 200 bytes, without braces.
    ///   - requests: 1 to 1,000,000.
    ///   - tokens: 1 to 1,000,000,000.
    package init(name: String, requests: Int?, tokens: Int?) {
        self.name = name
        self.requests = requests
        self.tokens = tokens
    }
}

/// What was taken from a bucket, to be told what became of it.
package struct RateToll: Sendable, Hashable {
    package let bucket: RateBucket
    package let requests: Int
    package let tokens: Int
    /// Taken from this process's own bucket, because Redis was away.
    let isLocal: Bool
}

/// Whether a call may go out.
package enum RateAnswer: Sendable, Hashable {
    case taken(RateToll)
    /// Nothing was taken; there may be room when this is over.
    case refused(Duration)
}

/// A bucket as it stands now, for people.
package struct RateBucketView: Sendable, Hashable {
    package let bucket: RateBucket
    /// Requests that could start at once; nil where they have no limit.
    package let requestsLeft: Int?
    /// Below 0 while a call has taken more than there was; nil where tokens have no limit.
    package let tokensLeft: Int?
}
