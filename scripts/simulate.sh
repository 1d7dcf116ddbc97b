#!/usr/bin/env bash
# Plays the codecs, the HTTP/2 session and the proxy in a simulated network, and writes what was played.
#
#   scripts/simulate.sh docs/SIMULATION.md
#
# SIMULATION_STEPS is the number of steps of each seed of the proxy (150,000); SIMULATION_SEED=N plays that seed alone.
set -euo pipefail
cd "$(dirname "$0")/.."

log=.build/simulation.log
mkdir -p .build
if ! swift test --disable-xctest --filter SimulationTests >"$log" 2>&1; then
    grep -E 'error:|✘|SIMULATION_SEED' "$log" >&2 || tail -n 20 "$log" >&2
    exit 1
fi
{
    cat <<'TEXT'
# Simulation

Written by `make simulate`; do not edit. The real codecs, HTTP/2 sessions, connections and proxy run in a network and under a
clock that are drawn from a seed (`Tests/Simulation`): bytes come in pieces of any size, writes are taken in part, readiness
is told late, in another order or for nothing, connections end and reset at any moment, and the clock jumps. Each seed gives
the same run again. What is asserted: every answer is whole, its own, or visibly broken; nothing is sent twice, held for ever
or left behind; where a stream is cut changes nothing of what is read. `make test` plays the same.

TEXT
    grep -o 'simulated [0-9]* steps.*' "$log" | sed 's/^/- /' | sort
    grep -o 'simulated [0-9]* steps' "$log" | awk '{ n += $2 } END { printf "\n%d steps in all.\n", n }'
} >"$1"
tail -n 1 "$1"
