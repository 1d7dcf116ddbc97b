#!/usr/bin/env bash
# Feeds every parser with bytes made to break it (libFuzzer, with the address sanitizer).
#
#   FUZZ_SECONDS=60 scripts/fuzz.sh [NAME…]      5 seconds each and every target without arguments
#
# Tests/Fuzz/NAME.swift holds one `LLVMFuzzerTestOneInput`; Tests/Fuzz/corpus/NAME/ the inputs it begins with. The rooms
# that the targets import are built as modules with coverage and sanitizer under .build/fuzz, and linked to each target
# on their own. What a run learns stays in .build/fuzz/corpus/NAME; a finding is left in .build/fuzz/findings/NAME-*,
# and `.build/fuzz/bin/NAME FILE` shows it again.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-5}
build=.build/fuzz
log=$build/log
mkdir -p $build/bin $build/findings $log

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    for file in Tests/Fuzz/*.swift; do
        [ -e "$file" ] || { echo "0 targets, 0 executions, 0 findings"; exit 0; }
        names+=("$(basename "$file" .swift)")
    done
fi

imports() { sed -n 's/^ *import \([A-Za-z]*\) *$/\1/p' "$@" | sort -u; }

# Rooms that the targets name; SwiftPM builds what these need besides.
files=()
for name in "${names[@]}"; do files+=("Tests/Fuzz/$name.swift"); done
flags=(-c release --scratch-path $build --sanitize=address
    -Xswiftc -enforce-exclusivity=checked -Xswiftc -sanitize=fuzzer -Xswiftc -assert-config -Xswiftc Debug -Xcc -fsanitize=fuzzer-no-link)
for room in $(imports "${files[@]}"); do
    [ -d "Sources/$room" ] || continue
    if ! swift build "${flags[@]}" --target "$room" >$log/build 2>&1; then
        grep -E 'error|warning: unre' $log/build >&2 || tail -n 20 $log/build >&2
        exit 1
    fi
done

# The rooms' declarations are `package`: the targets join that package under the name SwiftPM gave it.
package=$(grep '"-module-name","Bytes"' $build/release.yaml | sed -n 's/.*"-package-name","\([^"]*\)".*/\1/p' | head -n 1)
modulemap=$(find $build -name module.modulemap -path '*CSystem.build*' | head -n 1)
[ -n "$modulemap" ] || modulemap=$(find Sources/CSystem -name module.modulemap | head -n 1)

# The objects of a set of rooms and of all that their modules depend on, as Package.swift has it.
closure() {
    local known=" " todo=("$@") room
    while [ ${#todo[@]} -gt 0 ]; do
        room=${todo[0]}
        todo=("${todo[@]:1}")
        case $known in *" $room "*) continue ;; esac
        known="$known$room "
        [ "$room" = Documents ] && todo+=(Yams CYaml)
        [ -d "Sources/$room" ] || continue
        # shellcheck disable=SC2207
        todo+=($(find "Sources/$room" -name '*.swift' -exec sed -n 's/^ *\(package \|public \|internal \)\{0,1\}import \([A-Za-z]*\) *$/\2/p' {} + | sort -u))
    done
    for room in $known; do
        if [ -d "$build/release/$room.build" ]; then find "$build/release/$room.build" -name '*.o'; fi
    done
}

targets=0 executions=0 findings=0
for name in "${names[@]}"; do
    source=Tests/Fuzz/$name.swift
    # shellcheck disable=SC2046
    objects=$(closure $(imports "$source"))
    if ! swiftc -parse-as-library -O -assert-config Debug -sanitize=fuzzer,address -swift-version 6 -enable-experimental-feature Lifetimes \
        -package-name "$package" -module-name "Fuzz_$name" -I $build/release/Modules \
        ${modulemap:+-Xcc -fmodule-map-file="$modulemap"} -I Sources/CSystem/include \
        -I $build/checkouts/Yams/Sources/CYaml/include \
        "$source" $objects -Xlinker --gc-sections -lssl -lcrypto -ljwt -lsqlite3 -lnghttp2 -lcurl \
        -o "$build/bin/$name" >"$log/$name.build" 2>&1; then
        echo "$name: does not compile" >&2
        grep -m 10 error "$log/$name.build" >&2 || tail -n 20 "$log/$name.build" >&2
        findings=$((findings + 1))
        continue
    fi
    targets=$((targets + 1))
    mkdir -p "$build/corpus/$name"
    seeds=()
    [ -d "Tests/Fuzz/corpus/$name" ] && seeds=("Tests/Fuzz/corpus/$name")
    status=0
    # Leaks are looked for by the tests; here they would stop runs at what Foundation keeps.
    ASAN_OPTIONS=detect_leaks=0 "$build/bin/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=8192 -print_final_stats=1 -artifact_prefix="$build/findings/$name-" \
        "$build/corpus/$name" "${seeds[@]}" >"$log/$name" 2>&1 || status=$?
    done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log/$name")
    executions=$((executions + ${done:-0}))
    if [ "$status" != 0 ]; then
        findings=$((findings + 1))
        grep -E -m 5 'ERROR|SUMMARY|Fatal error|Precondition|Test unit written' "$log/$name" >&2 || tail -n 5 "$log/$name" >&2
    fi
    printf '%-12s %9s executions  %5s edges%s\n' "$name" "${done:-0}" \
        "$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log/$name" | tail -n 1)" \
        "$([ "$status" = 0 ] || echo '  FINDING')"
done

echo "$targets targets, $executions executions, $findings findings"
[ "$findings" = 0 ]
