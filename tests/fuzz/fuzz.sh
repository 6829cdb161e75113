#!/bin/bash
# Runs the fuzz targets under libFuzzer: `tests/run.sh fuzz SECONDS [NAME...]`, each of them (or those named) for so
# many seconds. What it learns is kept in build/fuzz/found/NAME, so that the next call goes on from there; inputs that
# crash, hang or break a property go to build/fuzz/crashes/NAME and make the exit status 1. Put such an input into
# tests/fuzz/corpus/NAME with its fix.
#
# Crashes inside libhdf5, on files that only an attacker makes, are counted but not held against us (README,
# Limits); their inputs are kept in build/fuzz/crashes/NAME too.
set -euo pipefail
cd "$(dirname "$0")/../.."
source cmake/install-packages.sh
seconds="${1:-}"
case "$seconds" in "" | *[!0-9]*)
    echo "usage: tests/run.sh fuzz SECONDS [NAME...]" >&2
    exit 64
    ;;
esac
shift
names=("$@")
if [ ${#names[@]} = 0 ]; then
    mapfile -t names < <(cd tests/fuzz/corpus && printf '%s\n' *)
fi

install_packages build run test fuzz
mpi_environment
export OMP_NUM_THREADS=1 UBSAN_OPTIONS=print_stacktrace=1
# Memory that is not to be had is refused, as malloc does; and what makes address sanitizers slow where buffers are large.
export ASAN_OPTIONS=allocator_may_return_null=1:quarantine_size_mb=16:clear_shadow_mmap_threshold=100000000
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$(nproc)" >/dev/null

# What an input does when it is run alone: "ours" or "hdf5" by the first function of its stack that is neither the
# system's nor the sanitizers', "nothing" when it does no harm. (HDF5 keeps state from one file to the next.)
whose() {
    local log
    log="$(mktemp)"
    if "$1" -detect_leaks="$2" -timeout=30 -rss_limit_mb=3000 "$3" >"$log" 2>&1; then
        echo nothing
    else
        awk '/^ *#[0-9]+ 0x/ && /libhdf5|\.[ch]:[0-9]/ && !/sysdeps|compiler-rt/ { found = /libhdf5/ ? "hdf5" : "ours"; exit }
             END { print found != "" ? found : "ours" }' "$log"
    fi
    rm -f "$log"
}

failed=0
for name in "${names[@]}"; do
    program="build/fuzz/tests/fuzz/fuzz_$name" found="build/fuzz/found/$name" crashes="build/fuzz/crashes/$name"
    mkdir -p "$found" "$crashes"
    marker="$(mktemp)"
    options=(-max_total_time="$seconds" -timeout=30 -rss_limit_mb=3000 -artifact_prefix="$crashes/" -print_final_stats=1)
    # HDF5's own crashes and leaks must not end the search.
    leaks=1
    case "$name" in shard | checkpoint)
        leaks=0
        options+=(-fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 -max_len=40000)
        ;;
    esac
    status=0
    "$program" "${options[@]}" -detect_leaks=$leaks "$found" "tests/fuzz/corpus/$name" >"$crashes.log" 2>&1 || status=$?
    runs="$(sed -nE 's/^stat::number_of_executed_units: *//p; s/^#([0-9]+).*/\1/p' "$crashes.log" | tail -1)"
    theirs=0 alone=0 ours=()
    while read -r input; do
        case "$(whose "$program" $leaks "$input")" in
        hdf5) theirs=$((theirs + 1)) ;;
        ours) ours+=("$input") ;;
        nothing) if [ $leaks = 0 ]; then alone=$((alone + 1)); else ours+=("$input"); fi ;;
        esac
    done < <(find "$crashes" -type f -newer "$marker")
    rm -f "$marker"
    echo "$name: ${runs:-0} executions, ${#ours[@]} failures$([ $leaks = 1 ] ||
        echo ", $theirs inputs on which libhdf5 fails, $alone more on which it did after others")"
    for input in ${ours[@]+"${ours[@]}"}; do
        echo "    $input"
    done
    if [ ${#ours[@]} -gt 0 ]; then
        failed=1
    elif [ $status != 0 ] && [ $leaks = 1 ]; then
        echo "    ended with status $status: $crashes.log"
        failed=1
    fi
done
exit $failed
