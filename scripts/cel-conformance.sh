#!/usr/bin/env bash
# Runs the public conformance cases of the Common Expression Language and prints, file by file and section by section,
# how many passed and how many were left out for which reason.
#
#   CEL_SPEC=DIR scripts/cel-conformance.sh      DIR: a checkout of https://github.com/google/cel-spec
#
# The cases are not part of this repository; without a copy of them nothing is run, and that is said.
set -euo pipefail

if [ -z "${CEL_SPEC:-}" ]; then
    echo "skipped: CEL_SPEC names no copy of cel-spec (git clone https://github.com/google/cel-spec)"
    exit 0
fi
[ -d "$CEL_SPEC" ] || { echo "no such folder: $CEL_SPEC" >&2; exit 66; }
CEL_SPEC=$(cd "$CEL_SPEC" && pwd)
export CEL_SPEC
cd "$(dirname "$0")/.."
swift test --disable-xctest --filter ConformanceTests
