#!/usr/bin/env bash
# Runs Project Wycheproof's vectors of JSON Web Signatures and Keys against the verifier and prints, file by file, how
# many of the valid and of the invalid ones were accepted and refused.
#
#   WYCHEPROOF=DIR scripts/jwt-conformance.sh      DIR: a newer copy, testvectors_v1 of a checkout of https://github.com/C2SP/wycheproof
#
# Without it the copy in Tests/Fixtures/wycheproof is run, as by `make test`.
set -euo pipefail

if [ -n "${WYCHEPROOF:-}" ]; then
    [ -d "$WYCHEPROOF" ] || { echo "no such folder: $WYCHEPROOF" >&2; exit 66; }
    WYCHEPROOF=$(cd "$WYCHEPROOF" && pwd)
    export WYCHEPROOF
fi
cd "$(dirname "$0")/.."
swift test --disable-xctest --filter WycheproofTests
