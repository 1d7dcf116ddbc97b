#!/usr/bin/env bash
# Runs Project Wycheproof's vectors of JSON Web Signatures and Keys against the verifier and prints, file by file, how
# many of the valid and of the invalid ones were accepted and refused.
#
#   WYCHEPROOF=DIR scripts/jwt-conformance.sh      DIR: testvectors_v1 of a checkout of https://github.com/C2SP/wycheproof
#
# The vectors are not part of this repository; without a copy of them nothing is run, and that is said.
set -euo pipefail

if [ -z "${WYCHEPROOF:-}" ]; then
    echo "skipped: WYCHEPROOF names no copy of the vectors (git clone https://github.com/C2SP/wycheproof)"
    exit 0
fi
[ -d "$WYCHEPROOF" ] || { echo "no such folder: $WYCHEPROOF" >&2; exit 66; }
WYCHEPROOF=$(cd "$WYCHEPROOF" && pwd)
export WYCHEPROOF
cd "$(dirname "$0")/.."
swift test --disable-xctest --filter WycheproofTests
