import FoundationEssentials

/// Which bucket of which server: `s3://bucket?endpoint=https://host:port&region=eu-central-1`.
package struct S3Location: Sendable, Equatable {
    package let bucket: String
    package let region: String
    /// `https` or `http`.
    package let scheme: String
    /// Host, and port where it is not the scheme's own: as the Host header has it.
    package let authority: String

    /// Without an endpoint it is Amazon's of the region; without a region, `us-east-1`.
    ///
    /// - Returns: nil where the text has another form.
    package init?(_ url: String) {
        guard let parts = URLComponents(string: url), parts.scheme == "s3", let bucket = parts.host, !bucket.isEmpty,
            parts.path.isEmpty || parts.path == "/"
        else { return nil }
        let query = Dictionary((parts.queryItems ?? []).map { ($0.name, $0.value ?? "") }) { first, _ in first }
        let region = query["region"] ?? "us-east-1"
        guard let endpoint = URLComponents(string: query["endpoint"] ?? "https://s3.\(region).amazonaws.com"),
            let scheme = endpoint.scheme, ["http", "https"].contains(scheme), let host = endpoint.host, !host.isEmpty,
            endpoint.path.isEmpty || endpoint.path == "/", endpoint.user == nil
        else { return nil }
        self.bucket = bucket
        self.region = region
        self.scheme = scheme
        authority = endpoint.port.map { "\(host):\($0)" } ?? host
    }
}
