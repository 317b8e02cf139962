#!/usr/bin/env bash
# Makes .tools/test-venv with the Python packages that tests and `make fuzz-api` are held against, once, and prints its
# interpreter.
# Fails where PyPI cannot be reached; the tests that need it then say that they are left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(
    stripe==16.1.0 localstripe==1.15.10
    schemathesis==4.32.5 openapi-spec-validator==0.9.0 aiosmtpd==1.4.6 standardwebhooks==1.1.0
)
venv=$PWD/.tools/test-venv
wanted=${packages[*]}
mkdir -p .tools
exec 9> .tools/test-venv.lock
flock 9
if [ "$(cat "$venv/packages" 2> /dev/null)" != "$wanted" ]; then
    rm -rf "$venv"
    /usr/bin/python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
    echo "$wanted" > "$venv/packages"
fi
echo "$venv/bin/python3"
