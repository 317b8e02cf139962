package import Domain
private import Hummingbird
package import Logging
private import NIOCore
package import Queue
package import ServiceLifecycle
package import Stores

/// The HTTP API: takes requests, writes rows and jobs, and never runs a job itself.
package enum APIService {
    /// What the operator sets for the API.
    package struct Settings: Sendable {
        /// Where callers reach us (`https://crew.example`): browsers' origins are held against it. Nil takes the Host header.
        package let publicURL: String?
        package let rates: RateSettings
        /// A proxy in front writes `X-Forwarded-For`, and its last address is believed.
        package let trustsProxy: Bool
        /// Whether anybody may make a tenant (decision D-1).
        package let signupIsOpen: Bool
        /// `GC_SIMULATE=1`: task items may carry `simulate` (decision D-130).
        package let allowSimulation: Bool
        /// Names of test-only settings that are on; `/api/health` shows them.
        package let testSettings: [String]
        /// Keys that seal stored answers and webhook secrets are derived from it: the same in all processes.
        package let secret: [UInt8]
        /// Where webhooks may go.
        package let addresses: AddressGuard
        /// What pays for data collection instead of Stripe, for tests.
        package let paymentJobs: PaymentJobs?
        /// Stripe, as far as the API deals with it.
        package let payments: PaymentSettings
        /// Where files lie.
        package let blobs: any BlobStore
        /// How long a download's signed URL works, in seconds (contract A-16).
        package let signedURLSeconds: Int
        /// For clients that upload attachments.
        package let uploadPace: BodyPace

        package init(
            publicURL: String?,
            rates: RateSettings,
            trustsProxy: Bool,
            signupIsOpen: Bool,
            allowSimulation: Bool,
            testSettings: [String],
            secret: [UInt8],
            addresses: AddressGuard = AddressGuard(allowing: []),
            paymentJobs: PaymentJobs? = nil,
            payments: PaymentSettings = .none,
            blobs: any BlobStore = AbsentBlobs(),
            signedURLSeconds: Int = 3600,
            uploadPace: BodyPace = BodyPace()
        ) {
            self.publicURL = publicURL
            self.rates = rates
            self.trustsProxy = trustsProxy
            self.signupIsOpen = signupIsOpen
            self.allowSimulation = allowSimulation
            self.testSettings = testSettings
            self.secret = secret
            self.addresses = addresses
            self.paymentJobs = paymentJobs
            self.payments = payments
            self.blobs = blobs
            self.signedURLSeconds = signedURLSeconds
            self.uploadPace = uploadPace
        }
    }

    /// - Parameters:
    ///   - host: address to listen on.
    ///   - port: TCP port; 0 picks a free one.
    ///   - onListening: told the port once the socket listens.
    package static func application(
        stores: Stores,
        queue: JobQueue,
        host: String,
        port: Int,
        settings: Settings,
        logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void
    ) -> any Service {
        let table = table(stores: stores, queue: queue, settings: settings, logger: logger)
        // Slow headers are cut after ten seconds; a slow body by the deadline of the handler that reads it.
        return Application(
            router: table.router(),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [SlowReaders(limit: .seconds(10)), GoneClients()],
                    idleTimeout: .seconds(30)
                )
            ),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: "groundcrew"),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
            logger: logger
        )
    }

    /// All routes behind all gates.
    static func table(stores: Stores, queue: JobQueue, settings: Settings, logger: Logger) -> RouteTable {
        let redis = queue.dispatch.redis
        let namespace = queue.dispatch.namespace
        let lists = EngagementListCache(
            stores.postgres,
            engagements: stores.engagements,
            redis: redis,
            namespace: namespace
        )
        let origin = OwnOrigin(publicURL: settings.publicURL)
        let payments = settings.paymentJobs ?? PaymentJobs(settings.payments, stores: stores, queue: queue)
        let idempotency = Idempotency(
            store: IdempotencyStore(stores.postgres, sealer: .answers(settings.secret))
        )
        let limiter = RateLimiter(redis: redis, namespace: namespace, settings: settings.rates)
        let throttle = DenialThrottle(limiter: limiter, logger: logger)
        let urls = SignedURLs(secret: settings.secret)
        let blobs = settings.blobs
        let links = StorageLinks(
            urls: urls,
            publicURL: settings.publicURL,
            seconds: settings.signedURLSeconds
        )
        // The directory of the house: one line per feature.
        let features: [any Routes] = [
            EngagementRoutes(stores: stores, queue: queue, lists: lists, allowSimulation: settings.allowSimulation),
            ControlRoutes(queue: queue),
            ExportRoutes(stores: stores, queue: queue),
            AnalyticsRoutes(runs: stores.runs),
            QualityRoutes(quality: stores.quality),
            AttachmentRoutes(attachments: stores.attachments, queue: queue, links: links),
            UploadRoutes(
                stores: stores,
                queue: queue,
                blobs: blobs,
                idempotency: idempotency,
                pace: settings.uploadPace
            ),
            StorageRoutes(urls: urls, blobs: blobs, catalogue: stores.blobCatalogue, pace: StorageRoutes.pace),
            FromURLRoutes(stores: stores, queue: queue, addresses: settings.addresses, throttle: throttle),
            DeliverableRoutes(deliverables: stores.deliverables, queue: queue),
            RerunRoutes(stores: stores, queue: queue),
            StreamRoutes(runs: stores.runs, live: LiveEvents(stores.runs, notices: queue.dispatch.notices)),
            SessionRoutes(stores: stores, cookieIsSecure: origin.isSecure, signupIsOpen: settings.signupIsOpen),
            KeyRoutes(stores: stores),
            TeamRoutes(members: stores.members),
            BillingRoutes(billing: stores.billing),
            BrandRoutes(stores: stores, queue: queue),
            WebhookRoutes(
                stores: stores,
                queue: queue,
                sealer: .webhooks(settings.secret),
                addresses: settings.addresses,
                throttle: throttle
            ),
            CollectionTaskRoutes(stores: stores, queue: queue, payments: payments),
            SubmissionRoutes(stores: stores, queue: queue, links: links, payments: payments),
            ContributorRoutes(stores: stores, queue: queue, links: links),
            StripeWebhookRoutes(queue: queue, secrets: settings.payments.webhookSecrets),
            PaymentRoutes(stores: stores, queue: queue, settings: settings.payments),
            PayoutAccountRoutes(queue: queue, settings: settings.payments),
            ContextRoutes(context: stores.context),
            HealthRoutes(queue: queue, testSettings: settings.testSettings),
        ]
        let gatehouse = Gatehouse(
            authentication: Authentication(stores),
            limiter: limiter,
            origin: origin,
            idempotency: idempotency,
            walls: TenantWalls(stores: stores),
            trustsProxy: settings.trustsProxy,
            logger: logger
        )
        let routes = features.flatMap(\.table)
        let document = OpenAPIRoutes(describing: routes)
        return RouteTable(routes: routes + document.table, gatehouse: gatehouse, logger: logger)
    }
}
