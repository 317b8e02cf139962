#!/usr/bin/env bash
# Runs `swift test` on what is built, with the arguments given, and says again in the end what failed: in a log of a thousand
# lines nobody finds it otherwise.
#
#   scripts/test.sh LOG ARGUMENTS...      LOG is where all of the output is kept
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

log=$1
shift
mkdir -p "$(dirname "$log")"
status=0
swift test --skip-build --disable-xctest --explicit-target-dependency-import-check error "$@" 2>&1 | tee "$log" || status=$?
((status == 0)) && exit 0

printf '\n==> What failed (all of it: %s)\n' "$log"
# An issue has its place and its reason; the lines that follow it tell what was compared.
grep -E -A 3 '^✘ Test .*recorded an issue' "$log" | grep -Ev '^(◇|✔|--)' || true
grep -E '^✘ (Test|Suite) .* failed after|fatal|[Ff]atal error|crashed|unexpected signal' "$log" | grep -v '^✘ Test run' || true
# A process that died says nothing; what had begun and not ended is where to look.
awk -F'"' '
	/^◇ Test ".*" started/ { open[$2] = 1 }
	/^(✔|✘|➜) Test ".*" (passed|failed|skipped|with)/ { delete open[$2] }
	END { for (name in open) print "began and never ended: " name }
' "$log"
exit "$status"
