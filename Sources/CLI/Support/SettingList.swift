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
            name: "GC_MODEL",
            meaning: "model to use for every task on that server",
            fallback: "by the routing table"
        ),
        SettingDescription(
            name: "GC_OBSERVER",
            meaning: "worker: who judges documents: model, heuristic (code alone) or off",
            fallback: "model; code where no model is configured"
        ),
        SettingDescription(
            name: "GC_PRICES_FILE",
            meaning: "price table of models, as JSON",
            fallback: "the shipped one"
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
            meaning: "tests only: a rate as count/seconds; ENGINE, API, READ, COLLECTION, AGENT, AUTH",
            fallback: "5, 60, 300, 120, 120, 10 in 60 s"
        ),
        SettingDescription(name: "GC_LEASE_SECONDS", meaning: "a worker's lease", fallback: "10"),
        SettingDescription(
            name: "GC_DRAIN_SECONDS",
            meaning: "how long running jobs may go on after SIGTERM",
            fallback: "25"
        ),
        SettingDescription(name: "GC_WORKER_SLOTS", meaning: "jobs at once per worker process", fallback: "64"),
        SettingDescription(name: "GC_POOL_SIZE", meaning: "Postgres connections per process", fallback: "8"),
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
            meaning: "address ranges that webhooks may reach although they are not public, with commas",
            fallback: "none"
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
