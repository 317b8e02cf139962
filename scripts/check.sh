#!/usr/bin/env bash
# What a reviewer should not have to look for: format, arrows, forbidden words. A few seconds, no build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "check: format"
swift format lint --strict --recursive --parallel Package.swift Sources Tests
echo "check: the arrow script itself"
scripts/check-arrows.py --self-test
echo "check: arrows and forbidden words"
scripts/check-arrows.py
echo "check: rows of the contract and their tests"
scripts/coverage.py --check
echo "check: shell scripts"
for script in scripts/*.sh .ci/run; do bash -n "$script"; done
