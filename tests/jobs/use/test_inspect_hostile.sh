#!/usr/bin/env bash
# gridgpt inspect on files over which HDF5 itself crashes: status 65 and one line that names the file; what it says of
# good files, and to whom, is as ever.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
# A sanitizer would tell of the crash in its own words and statuses.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}:handle_segv=0:handle_sigbus=0:handle_abort=0:abort_on_error=1"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

crashed=0
for file in "$GG_SOURCE"/tests/fuzz/hostile/*.h5; do
  for options in "" --verify; do
    status=0
    # shellcheck disable=SC2086
    "$GRIDGPT" inspect "$file" $options >out.txt 2>err.txt || status=$?
    [ "$status" = 65 ] || fail "status $status, not 65: $file $options ($(cat err.txt))"
    [ "$(grep -c . err.txt)" = 1 ] && grep -qF "$file" err.txt || fail "not one line that names $file: $(cat err.txt)"
    if grep -qF "HDF5 itself failed on it" err.txt; then crashed=$((crashed + 1)); fi
  done
done
ls core* >/dev/null 2>&1 && fail "a core was left"
# Another HDF5 may refuse them all.
if h5dump --version | grep -q "1\.10\.8"; then
  [ $crashed -ge 4 ] || fail "HDF5 1.10.8 crashed $crashed times: these files are not what they were"
fi

seeds="$GG_SOURCE/tests/fuzz/corpus"
"$GRIDGPT" inspect --verify "$seeds/checkpoint/moments.h5" >out.txt 2>err.txt
[ "$(head -1 out.txt)" = "$seeds/checkpoint/moments.h5: checkpoint, format version 1" ] || fail "$(cat out.txt)"
[ "$(grep -c 'checkpoint, format' out.txt)" = 1 ] && grep -q "every checksum matches" out.txt || fail "$(cat out.txt)"
[ ! -s err.txt ] || fail "$(cat err.txt)"
status=0
"$GRIDGPT" inspect "$seeds/shard/shard16.h5" >/dev/full 2>err.txt || status=$?
[ $status = 74 ] && [ "$(wc -l <err.txt)" = 1 ] || fail "a full standard output: $status, $(cat err.txt)"
status=0
"$GRIDGPT" inspect missing.h5 2>err.txt || status=$?
[ $status = 74 ] && [ "$(wc -l <err.txt)" = 1 ] || fail "a missing file: $status, $(cat err.txt)"
