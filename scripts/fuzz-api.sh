#!/usr/bin/env bash
# Holds a real `groundcrew dev` against the OpenAPI document it serves: openapi-spec-validator must accept the document,
# and schemathesis must find nothing with all its checks, with an API key and with a session, as each route wants it.
#
#   scripts/fuzz-api.sh [--max-examples N] [--seed N] …   further words go to schemathesis
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=$(scripts/test-venv.sh)
binary=${GC_BINARY:-.build/debug/groundcrew}
# In /tmp itself: the sockets of the private servers must have short paths.
data=$(mktemp -d /tmp/groundcrew-fuzz-XXXXXX)

# Nothing is to be refused for its rate; nothing else of our own environment is to matter.
export GC_RATE_ENGINE=1000000/60 GC_RATE_API=1000000/60 GC_RATE_READ=1000000/60 GC_RATE_COLLECTION=1000000/60
export GC_RATE_AUTH=1000000/60 GC_SIMULATE=1 GC_TEST_HOOKS=1
# So that the receiver looks at what it is sent.
export GC_STRIPE_WEBHOOK_SECRET=whsec_fuzz
"$binary" dev --port 0 --data "$data" --workers 0 >"$data/log" 2>&1 &
dev=$!
stop() {
    kill "$dev" 2>/dev/null || true
    wait "$dev" 2>/dev/null || true
    rm -rf "$data"
}
trap stop EXIT
for _ in $(seq 600); do
    [[ -s $data/dev.json ]] && break
    kill -0 "$dev" 2>/dev/null || { cat "$data/log" >&2; exit 1; }
    sleep 0.1
done
field() { "$python" -c "import json,sys;print(json.load(open('$data/dev.json'))['$1'])"; }
url=$(field api)
DATABASE_URL=$(field database_url)
REDIS_URL=$(field redis_url)
export DATABASE_URL REDIS_URL
email=$(field owner_email)
password=$(field owner_password)
session() { "$python" scripts/fuzz-session.py "$1" "$url" "$email" "$password"; }
GC_FUZZ_KEY=$(session key)
GC_FUZZ_SESSION=$(session cookie)
GC_FUZZ_ENGAGEMENT=$(session engagement)
GC_FUZZ_TASK=$(session task)
"$binary" task fund "$GC_FUZZ_TASK" >"$data/fund"
email=contributor@fuzz.example
password=$("$binary" admin contributor create --email "$email" --json |
    "$python" -c "import json,sys;print(json.load(sys.stdin)['password'])")
GC_FUZZ_CONTRIBUTOR=$(session cookie)
export GC_FUZZ_KEY GC_FUZZ_SESSION GC_FUZZ_CONTRIBUTOR GC_FUZZ_ENGAGEMENT GC_FUZZ_TASK
GC_FUZZ_SUBMISSION=$(session submission)
export GC_FUZZ_SUBMISSION
read -r GC_FUZZ_BUCKET GC_FUZZ_SHARD GC_FUZZ_NAME GC_FUZZ_TOKEN <<<"$(session link)"
export GC_FUZZ_BUCKET GC_FUZZ_SHARD GC_FUZZ_NAME GC_FUZZ_TOKEN

echo "fuzz-api: the document"
curl -sf "$url/api/openapi.json" -o "$data/openapi.json"
"$python" -m openapi_spec_validator "$data/openapi.json"

echo "fuzz-api: the API"
root=$PWD
cd "$data" # it keeps notes where it is called
"$python" -m schemathesis.cli --config-file "$root/scripts/schemathesis.toml" run "$data/openapi.json" --url "$url" \
    --checks all --phases examples,coverage,fuzzing,stateful --generation-database none --no-color \
    --request-timeout 30 "${@:---max-examples=25}"
