package import Crew
package import Domain
package import Queue
package import Stores

/// What all jobs of a process share.
package struct JobServices: Sendable {
    package let stores: Stores
    package let models: Models
    /// Nil where this process makes no documents.
    package let documents: (any DocumentRenderer)?
    package let hooks: TestHooks
    /// Nil where this process delivers none.
    package let webhooks: WebhookServices?
    package let payments: PaymentServices
    /// Where files lie.
    package let blobs: any BlobStore
    /// Nil where this process fetches no pages.
    package let pages: (any PageFetcher)?
    /// Nil where this process has no mailer.
    package let mail: MailServices?
    /// Nil where this process reads no files.
    package let texts: (any TextExtractor)?

    package init(
        stores: Stores,
        models: Models,
        documents: (any DocumentRenderer)? = nil,
        hooks: TestHooks = TestHooks(),
        webhooks: WebhookServices? = nil,
        payments: PaymentServices = PaymentServices(),
        blobs: any BlobStore = AbsentBlobs(),
        pages: (any PageFetcher)? = nil,
        mail: MailServices? = nil,
        texts: (any TextExtractor)? = nil
    ) {
        self.stores = stores
        self.models = models
        self.documents = documents
        self.hooks = hooks
        self.webhooks = webhooks
        self.payments = payments
        self.blobs = blobs
        self.pages = pages
        self.mail = mail
        self.texts = texts
    }
}

/// The model providers of this process, and how a model is chosen among them.
package struct Models: Sendable {
    package let routing: CrewRouting
    package let allowSimulation: Bool
    /// By provider: the account whose marks hold for this process's calls. Built-in providers have none.
    package let accounts: [String: ProviderMarks.Account]
    /// Documents that a model judges lower than this, in tenths, are written once more; 0 is none.
    package let reviseBelow: Int
    /// Whether tasks may ask colleagues before they write.
    package let allowsDelegation: Bool
    /// What providers allow in a minute, by the operator's word.
    private let rates: RateTable
    private let observer: Observer
    private let providers: [String: any LanguageModel]

    /// Who judges the crew's documents.
    package enum Observer: String, Sendable, CaseIterable {
        case off
        /// Code alone.
        case heuristic
        /// A language model; code judges what no language model has written.
        case model
    }

    /// - Parameters:
    ///   - providers: by their name in the price table; the offline one must be among them.
    ///   - observer: who judges documents.
    ///   - accounts: of the providers that are outside; what befalls one process there is told to all.
    ///   - reviseBelow: in tenths, 0…100.
    ///   - allowsDelegation: whether tasks may ask colleagues before they write.
    ///   - rates: of providers with an account; those without any are not counted.
    package init(
        routing: CrewRouting,
        providers: [any LanguageModel],
        allowSimulation: Bool,
        observer: Observer = .heuristic,
        accounts: [ProviderMarks.Account] = [],
        reviseBelow: Int = 60,
        allowsDelegation: Bool = true,
        rates: RateTable = RateTable()
    ) {
        self.routing = routing
        self.observer = observer
        self.accounts = Dictionary(accounts.map { ($0.provider, $0) }, uniquingKeysWith: { first, _ in first })
        self.reviseBelow = reviseBelow
        self.allowsDelegation = allowsDelegation
        self.rates = rates
        self.providers = Dictionary(providers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.allowSimulation = allowSimulation
    }

    /// Who judges what this provider has written.
    package func judge(of provider: String) -> Observer {
        let isModel = provider != ModelProvider.offline && provider != ModelProvider.simulated
        return observer == .model && (!isModel || routing.isOffline) ? .heuristic : observer
    }

    /// What a call to this model takes from, shared by all who use the same key; nil where it has no rate.
    package func bucket(of route: ModelRoute) -> RateBucket? {
        guard let rate = rates.rate(of: route.model, provider: route.provider), let account = accounts[route.provider]
        else { return nil }
        return RateBucket(
            name: "\(account.provider):\(account.id):\(rate.group)",
            requests: rate.requests,
            tokens: rate.tokens
        )
    }

    package subscript(provider: String) -> (any LanguageModel)? { providers[provider] }
}
