extension ClientReport {
    /// One page with a logo, to see whether it can be drawn: a picture that cannot would break every export of its tenant
    /// from then on.
    package static func trial(of logo: BrandLogo) -> ClientReport {
        ClientReport(
            tenant: "Logo",
            engagement: "Logo",
            client: "Logo",
            date: Timestamp(microseconds: 0),
            parts: [],
            withProvenance: false,
            brand: Brand(logo: logo)
        )
    }
}
