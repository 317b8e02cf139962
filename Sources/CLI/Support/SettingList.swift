/// Every setting there is, for `groundcrew config` and for the documentation.
struct SettingDescription {
    let name: String
    let meaning: String
    let fallback: String
    var isSecret = false

    static let all = [
        SettingDescription(
            name: "DATABASE_URL",
            meaning: "Postgres, as a libpq URI",
            fallback: "required",
            isSecret: true
        ),
        SettingDescription(
            name: "REDIS_URL",
            meaning: "Redis: redis://, rediss:// or redis+unix://",
            fallback: "required",
            isSecret: true
        ),
        SettingDescription(
            name: "OPENAI_API_KEY",
            meaning: "key of an OpenAI-compatible model server",
            fallback: "none: the offline provider writes",
            isSecret: true
        ),
        SettingDescription(
            name: "OPENAI_BASE_URL",
            meaning: "that server's address",
            fallback: "https://api.openai.com/v1"
        ),
        SettingDescription(
            name: "ANTHROPIC_API_KEY",
            meaning: "key of Anthropic's API",
            fallback: "none",
            isSecret: true
        ),
        SettingDescription(
            name: "ANTHROPIC_BASE_URL",
            meaning: "that API's address, for a gateway",
            fallback: "https://api.anthropic.com"
        ),
        SettingDescription(
            name: "GC_MODEL",
            meaning: "model to use for every task; claude-… goes to Anthropic where it is configured",
            fallback: "by the routing table"
        ),
        SettingDescription(
            name: "GC_OBSERVER",
            meaning: "worker: who judges documents: model, heuristic (code alone) or off",
            fallback: "model; code where no model is configured"
        ),
        SettingDescription(
            name: "GC_REVISE_BELOW",
            meaning: "worker: documents that a model scores lower are written once more; 0 to 10, 0 is never",
            fallback: "6"
        ),
        SettingDescription(
            name: "GC_DELEGATION",
            meaning: "worker: whether a task may ask up to two colleagues before it writes: on or off",
            fallback: "on"
        ),
        SettingDescription(
            name: "GC_PRICES_FILE",
            meaning: "prices of models and rates of providers, as JSON",
            fallback: "the shipped prices, no rates"
        ),
        SettingDescription(
            name: "GC_UNPRICED_IS_FREE",
            meaning: "1: a model without a price costs 0",
            fallback: "the dearest known price"
        ),
        SettingDescription(
            name: "GC_SECRET_KEY",
            meaning: "api, worker: seals secrets and stored answers; 32 bytes, as base64",
            fallback: "required unless the API listens on loopback only; then made of DATABASE_URL",
            isSecret: true
        ),
        SettingDescription(
            name: "GC_PUBLIC_URL",
            meaning: "api: where browsers reach it; https makes cookies secure",
            fallback: "the Host header"
        ),
        SettingDescription(
            name: "GC_TRUST_PROXY",
            meaning: "api: 1 takes a caller's address from X-Forwarded-For",
            fallback: "0"
        ),
        SettingDescription(
            name: "GC_API_REPLICAS",
            meaning: "API processes; each takes its share of a rate while Redis is away",
            fallback: "1"
        ),
        SettingDescription(name: "GC_SIGNUP", meaning: "api: open lets anybody make a tenant", fallback: "closed"),
        SettingDescription(
            name: "GC_RATE_<TIER>",
            meaning: "tests only: a rate as count/seconds; ENGINE, API, READ, COLLECTION, AGENT, AUTH, DENIED",
            fallback: "5, 60, 300, 120, 120, 10 in 60 s; 20 in an hour"
        ),
        SettingDescription(name: "GC_LEASE_SECONDS", meaning: "a worker's lease", fallback: "10"),
        SettingDescription(
            name: "GC_DRAIN_SECONDS",
            meaning: "how long running jobs may go on after SIGTERM",
            fallback: "25"
        ),
        SettingDescription(name: "GC_WORKER_SLOTS", meaning: "jobs at once per worker process", fallback: "64"),
        SettingDescription(name: "GC_POOL_SIZE", meaning: "Postgres connections per process", fallback: "8"),
        SettingDescription(
            name: "GC_POOL_WAIT_MS",
            meaning: "how long to wait for one of them; an API request is then answered with 503",
            fallback: "5000"
        ),
        SettingDescription(
            name: "GC_TENANT_WAITING_CAP",
            meaning: "api: jobs of a tenant that may wait in a queue before it is told 429; 0 is any",
            fallback: "10000"
        ),
        SettingDescription(
            name: "GC_QUEUE_CAP",
            meaning: "api: jobs that may wait in a queue before callers are told 503; 0 is any",
            fallback: "1000000"
        ),
        SettingDescription(
            name: "GC_DONE_RETENTION",
            meaning: "scheduler: how long done and cancelled jobs are kept: 90s, 15m, 24h, 14d",
            fallback: "24h"
        ),
        SettingDescription(name: "GC_NAMESPACE", meaning: "first part of every Redis key", fallback: "gc"),
        SettingDescription(
            name: "GC_LOG_LEVEL",
            meaning: "trace, debug, info, notice, warning, error, critical",
            fallback: "info"
        ),
        SettingDescription(
            name: "GC_WEBHOOK_SCHEDULE",
            meaning: "seconds before each attempt of a webhook, with commas",
            fallback: "0,5,300,1800,7200,18000,36000,50400,72000,86400"
        ),
        SettingDescription(
            name: "GC_WEBHOOK_CA_FILE",
            meaning: "PEM file of certificates to trust besides the system's, for webhooks",
            fallback: "none"
        ),
        SettingDescription(
            name: "GC_NET_ALLOW",
            meaning: "address ranges that webhooks and pages may be at although they are not public, with commas",
            fallback: "none"
        ),
        SettingDescription(
            name: "GC_SANDBOX",
            meaning: "worker: require reads uploads only behind all walls (namespaces), prefer behind those that stand",
            fallback: "prefer"
        ),
        SettingDescription(
            name: "GC_STRIPE_SECRET_KEY",
            meaning: "Stripe's secret key; one that is not live serves test tasks too",
            fallback: "none: tasks get no funding_url, payouts stay pending",
            isSecret: true
        ),
        SettingDescription(
            name: "GC_STRIPE_TEST_SECRET_KEY",
            meaning: "Stripe's test-mode key, for tasks of gt_test_ keys",
            fallback: "GC_STRIPE_SECRET_KEY, unless that is live",
            isSecret: true
        ),
        SettingDescription(
            name: "GC_STRIPE_WEBHOOK_SECRET",
            meaning: "api: signing secrets of Stripe's webhook endpoints, with commas",
            fallback: "none: the receiver answers 503",
            isSecret: true
        ),
        SettingDescription(
            name: "GC_STRIPE_PRICES",
            meaning: "plan=price with commas, such as starter=price_1,professional=price_2",
            fallback: "a price's lookup_key or metadata.plan"
        ),
        SettingDescription(
            name: "GC_STRIPE_API_BASE",
            meaning: "worker: where Stripe's API is",
            fallback: "https://api.stripe.com"
        ),
        SettingDescription(
            name: "GC_STORAGE_URL",
            meaning: "api, worker: where files lie: file:///folder or s3://bucket?endpoint=URL&region=NAME",
            fallback: "none: uploads are answered with 503"
        ),
        SettingDescription(
            name: "AWS_ACCESS_KEY_ID",
            meaning: "api, worker: key of an s3:// store",
            fallback: "required with s3://"
        ),
        SettingDescription(
            name: "AWS_SECRET_ACCESS_KEY",
            meaning: "api, worker: its secret",
            fallback: "required with s3://",
            isSecret: true
        ),
        SettingDescription(
            name: "GC_SIGNED_URL_TTL",
            meaning: "tests only: seconds for which a download's URL works",
            fallback: "3600"
        ),
        SettingDescription(
            name: "GC_SMTP_URL",
            meaning: "worker: where mail is handed in, smtp://user:password@host:587 or smtps://…",
            fallback: "none: mails are written down as unsent",
            isSecret: true
        ),
        SettingDescription(
            name: "GC_SENDMAIL",
            meaning: "worker: path of a sendmail program, instead of GC_SMTP_URL",
            fallback: "none"
        ),
        SettingDescription(
            name: "GC_MAIL_FROM",
            meaning: "worker: the address that mails are from",
            fallback: "groundcrew@ and this machine's name"
        ),
        SettingDescription(
            name: "GC_TYPST",
            meaning: "python3 of a virtual environment that has typst, for PDF export",
            fallback: ".tools/venv/bin/python3"
        ),
        SettingDescription(name: "GC_SIMULATE", meaning: "tests only: 1 lets a task carry `simulate`", fallback: "0"),
        SettingDescription(
            name: "GC_TEST_HOOKS",
            meaning: "tests only: 1 allows the job kind test.probe",
            fallback: "0"
        ),
        SettingDescription(name: "GC_TEST_MUTANT", meaning: "tests only: a seeded bug", fallback: "none"),
    ]
}
