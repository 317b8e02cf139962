#!/usr/bin/env bash
# Whether docker-compose.yml can be read, with the sample settings in place of a real .env. Needs no daemon.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if command -v docker-compose >/dev/null; then
    compose=(docker-compose)
elif docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
else
    echo "docker-check: neither docker-compose nor docker compose is installed: apt-get install docker-compose" >&2
    exit 1
fi
set -a
# shellcheck source=/dev/null
source .env.example
set +a
"${compose[@]}" -f docker-compose.yml config -q
echo "docker-check: docker-compose.yml is valid; services: $("${compose[@]}" config --services | sort | tr '\n' ' ')"
