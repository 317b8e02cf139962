#!/usr/bin/env bash
# swift build with the house's flags, and no warning in our own files: `scripts/build.sh [swift build options]`.
# Every build goes through here with the same flags, so nothing is ever compiled twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p .build

log=.build/last-build.log
status=0
swift build --explicit-target-dependency-import-check error "$@" 2>&1 | tee "$log" || status=$?
# The import check prints its error, says "Build complete!" and may still end with 0.
if ((status == 0)) && grep -qE '^error: ' "$log"; then status=1; fi
if ((status == 0)) && grep -E "^$PWD/(Sources|Tests)/.*: warning: " "$log" >.build/warnings.log; then
    # Files that are built already are not looked at again: make the next build say it once more.
    cut -d: -f1 .build/warnings.log | sort -u | xargs -d '\n' touch
    printf '\nThese warnings must go:\n' >&2
    sort -u .build/warnings.log >&2
    status=1
fi
exit "$status"
