#!/usr/bin/env bash
# Feeds every parser with bytes made to break it (libFuzzer, with the address sanitizer).
#
#   FUZZ_SECONDS=60 scripts/fuzz.sh [--build | --built | --page] [--keep] [--write docs/FUZZING.md] [NAME…]
#
# 5 seconds each and every target without arguments. `--build` stops after building, `--built` builds nothing; `--page` runs
# nothing either; `--keep` minimises what was learnt and puts the part of it that is small into Tests/Fuzz/corpus; `--write`
# makes a page of the totals of all targets, whichever were named.
#
# Tests/Fuzz/NAME.swift holds one `LLVMFuzzerTestOneInput`; Tests/Fuzz/corpus/NAME/ the inputs it begins with. The rooms
# that the targets import are built as modules with coverage and sanitizer under .build/fuzz, and linked to each target
# on their own. What a run learns stays in .build/fuzz/corpus/NAME; a finding is left in .build/fuzz/findings/NAME-*,
# and `.build/fuzz/bin/NAME FILE` shows it again.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-5}
# An input that takes so many seconds hangs. More where the machine may stop the run for a while.
hang=${FUZZ_HANG:-10}
build=.build/fuzz
log=$build/log
mkdir -p $build/bin $build/findings $build/totals $log

mode=all keep= page=
names=()
while [ $# -gt 0 ]; do
    case $1 in
        --build) mode=build ;;
        --built) mode=built ;;
        --page) mode=page ;;
        --keep) keep=1 ;;
        --write)
            page=$2
            shift
            ;;
        *) names+=("$1") ;;
    esac
    shift
done
if [ ${#names[@]} -eq 0 ]; then
    for file in Tests/Fuzz/*.swift; do names+=("$(basename "$file" .swift)"); done
fi

imports() { sed -n 's/^ *import \([A-Za-z]*\) *$/\1/p' "$@" | sort -u; }

# Rooms that the targets name; SwiftPM builds what these need besides.
files=()
for name in "${names[@]}"; do files+=("Tests/Fuzz/$name.swift"); done
flags=(-c release --scratch-path $build --sanitize=address
    -Xswiftc -enforce-exclusivity=checked -Xswiftc -sanitize=fuzzer -Xswiftc -assert-config -Xswiftc Debug -Xcc -fsanitize=fuzzer-no-link)
for room in $(imports "${files[@]}"); do
    [ "$mode" != built ] && [ "$mode" != page ] && [ -d "Sources/$room" ] || continue
    if ! swift build "${flags[@]}" --target "$room" >$log/build 2>&1; then
        grep -E 'error|warning: unre' $log/build >&2 || tail -n 20 $log/build >&2
        exit 1
    fi
done

# The rooms' declarations are `package`: the targets join that package under the name SwiftPM gave it.
package=$(grep '"-module-name","Bytes"' $build/release.yaml | sed -n 's/.*"-package-name","\([^"]*\)".*/\1/p' | head -n 1)
modulemap=$(find $build -name module.modulemap -path '*CSystem.build*' | head -n 1)
[ -n "$modulemap" ] || modulemap=$(find Sources/CSystem -name module.modulemap | head -n 1)

# What a deleted source left behind does not link any more: only objects of sources that are there count.
find Sources $build/checkouts -name '*.swift' -o -name '*.c' | sed 's|.*/||' | sort -u >$build/sources

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
        [ -d "$build/release/$room.build" ] || continue
        find "$build/release/$room.build" -name '*.o' | while read -r object; do
            ! grep -qxF "$(basename "$object" .o)" $build/sources || echo "$object"
        done
    done
}

# Compiles and links a target.
link() {
    local name=$1 source=Tests/Fuzz/$1.swift objects
    # shellcheck disable=SC2046
    objects=$(closure $(imports "$source"))
    # shellcheck disable=SC2086
    swiftc -parse-as-library -O -assert-config Debug -sanitize=fuzzer,address -swift-version 6 -enable-experimental-feature Lifetimes \
        -package-name "$package" -module-name "Fuzz_$name" -I $build/release/Modules \
        ${modulemap:+-Xcc -fmodule-map-file="$modulemap"} -I Sources/CSystem/include \
        -I $build/checkouts/Yams/Sources/CYaml/include \
        "$source" $objects -Xlinker --gc-sections -lssl -lcrypto -ljwt -lsqlite3 -lnghttp2 -lcurl \
        -o "$build/bin/$name" >"$log/$name.build" 2>&1 && return
    echo "$name: does not compile" >&2
    grep -m 10 error "$log/$name.build" >&2 || tail -n 20 "$log/$name.build" >&2
    return 1
}

# Leaks are looked for by the tests; here they would stop runs at what Foundation keeps.
export ASAN_OPTIONS=detect_leaks=0
# Inputs of a target that are kept: so many, of so many bytes each, or a repository is soon all corpus.
kept_bytes_max=1024 kept_max=100

# What was learnt, minimised, into the repository.
keep_corpus() {
    local name=$1 small=$build/corpus/$1.small
    rm -rf "$small"
    mkdir -p "$small" "Tests/Fuzz/corpus/$name"
    "$build/bin/$name" -set_cover_merge=1 -max_len=$kept_bytes_max "$small" "Tests/Fuzz/corpus/$name" "$build/corpus/$name" \
        >"$log/$name.merge" 2>&1 || return 0
    # The seeds have names and stay; of what was learnt, those that reach most come first in the order of the merge.
    find "Tests/Fuzz/corpus/$name" -type f -name '????????????????????????????????????????' -delete
    find "$small" -type f -printf '%T@ %p\n' | sort -n | head -n $kept_max | cut -d' ' -f2 |
        xargs -r cp -t "Tests/Fuzz/corpus/$name"
}

targets=0 executions=0 findings=0
[ "$mode" != page ] || names=()
for name in "${names[@]}"; do
    if [ "$mode" != built ] && ! link "$name"; then
        findings=$((findings + 1))
        continue
    fi
    targets=$((targets + 1))
    [ "$mode" != build ] || continue
    mkdir -p "$build/corpus/$name"
    seeds=()
    [ -d "Tests/Fuzz/corpus/$name" ] && seeds=("Tests/Fuzz/corpus/$name")
    status=0
    before=$(find $build/findings -name "$name-*" | wc -l)
    began=$(date +%s)
    touch "$build/totals/$name"
    TIMEFORMAT='%U %S'
    { time "$build/bin/$name" -max_total_time="$seconds" -timeout="$hang" -rss_limit_mb=2048 \
        -max_len=8192 -print_final_stats=1 -artifact_prefix="$build/findings/$name-" \
        "$build/corpus/$name" "${seeds[@]}" >"$log/$name" 2>&1; } 2>"$log/$name.time" || status=$?
    wall=$(($(date +%s) - began))
    busy=$(awk 'NF == 2 { print int($1 + $2 + 0.5) }' "$log/$name.time" | tail -n 1)
    done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log/$name")
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log/$name" | tail -n 1)
    executions=$((executions + ${done:-0}))
    if [ "$status" != 0 ]; then
        findings=$((findings + 1))
        grep -E -m 5 'ERROR|SUMMARY|Fatal error|Precondition|Test unit written' "$log/$name" >&2 || tail -n 5 "$log/$name" >&2
    fi
    [ -z "$keep" ] || keep_corpus "$name"
    found=$(($(find $build/findings -name "$name-*" | wc -l) - before))
    [ "$status" = 0 ] || [ "$found" -gt 0 ] || found=1
    kept=$(find "Tests/Fuzz/corpus/$name" -type f | wc -l)
    learnt=$(find "$build/corpus/$name" -type f | wc -l)
    # Times and executions of all runs; the rest as the last one left it.
    read -r wall_before busy_before done_before _ <"$build/totals/$name" || true
    echo "$((wall + ${wall_before:-0})) $((${busy:-0} + ${busy_before:-0})) $((${done:-0} + ${done_before:-0}))" \
        "${edges:-0} $learnt $kept $found" >"$build/totals/$name"
    printf '%-12s %9s executions  %5s edges%s\n' "$name" "${done:-0}" "$edges" "$([ "$status" = 0 ] || echo '  FINDING')"
done

if [ -n "$page" ]; then
    {
        cat <<'TEXT'
# Fuzzing

Written by `scripts/fuzz.sh --write docs/FUZZING.md`; do not edit. Each target is one parser (`Tests/Fuzz`), built with the
address sanitizer, and fed by libFuzzer with what leads it to code that it has not seen. A finding is a crash, a hang of
10 s, 2 GiB of memory, or something asserted that does not hold, such as a message that is read otherwise in two pieces
than in one. The time on the processor is less than the time that passed where the machine had other work. Times and
executions are the sums of all runs since these targets were built first, findings those of the last.

| target | seconds | of the processor | executions | edges reached | inputs learnt | inputs kept | findings |
|---|---|---|---|---|---|---|---|
TEXT
        for name in "$build"/totals/*; do
            sed "s/ / | /g; s/^/| \`$(basename "$name")\` | /; s/\$/ |/" "$name"
        done
        cat "$build"/totals/* | awk '{ s += $1; c += $2; e += $3; f += $7 } END {
            printf "\n%d targets, %d s, %d s of the processor, %d executions, %d findings.\n", NR, s, c, e, f }'
    } >"$page"
fi

echo "$targets targets, $executions executions, $findings findings"
[ "$findings" = 0 ]
