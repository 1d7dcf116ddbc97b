#!/usr/bin/env bash
# Builds .build/release/millgate, with the Swift libraries inside where the toolchain has them for that: the binary then
# runs on machines without Swift, which need only the Debian packages of libssl, libjwt, libnghttp2, libsqlite3 and
# libcurl.
set -euo pipefail
cd "$(dirname "$0")/.."

flags=(-c release --product millgate)
resources=$(swift -print-target-info 2>/dev/null | sed -n 's/.*"runtimeResourcePath": *"\(.*\)".*/\1/p' | head -n 1)
if [ -d "${resources%/}_static" ]; then flags+=(--static-swift-stdlib); fi

# Quiet when there is nothing to do or all went well; with everything that was said when it failed.
if [ -t 1 ]; then
    swift build "${flags[@]}"
else
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    swift build "${flags[@]}" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
    tail -n 1 "$log"
fi
