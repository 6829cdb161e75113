# A storage that fails while a run looks for its newest checkpoint, or reads it: a failure that passes is waited for,
# and the run goes on from the newest; one that stays ends the run with 74 or 71, and the file keeps its name and its
# bytes, with run.restart or without. Only bytes that do not verify lose a file its name.
source "$GG_SOURCE/tests/jobs/training.sh"

newest=step-00000006.h5
train 1 whole run.steps=6 checkpoint.every_steps=3
expect 0 "step-00000006.h5" whole
sum=$(sha256sum <"whole/checkpoints/$newest")

# resume NAME RANKS PLACE ERROR SECONDS [VARIABLE=VALUE]... [-- key=value...]: goes on from a copy of the run, while
# reading the newest checkpoint fails at that place for so many seconds' patience.
resume() {
    local name=$1 ranks=$2 place=$3 error=$4 seconds=$5 file=$newest settings=()
    shift 5
    local faults=("GG_FAIL_READ=$place" "GG_FAIL_ERROR=$error" "GRIDGPT_STORAGE_SECONDS=$seconds")
    [ "$place" = list ] && file=/checkpoints
    while [ $# -gt 0 ] && [ "$1" != -- ]; do faults+=("$1"); shift; done
    [ $# -gt 0 ] && settings=("${@:2}")
    rm -rf "$name"
    cp -r whole "$name"
    status=0
    mpirun -n "$ranks" env "${faults[@]}" GG_FAIL_FILE="$file" LD_PRELOAD="$GG_FAIL_IO" \
        ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 \
        "$GRIDGPT" train settings.yaml run.dir="$name" run.steps=7 "${settings[@]}" >"$name.log" 2>&1 || status=$?
}

# intact NAME: the newest checkpoint has its name and its bytes, and nothing was set aside.
intact() {
    [ "$(sha256sum <"$1/checkpoints/$newest")" = "$sum" ] || fail "$1: $newest is another"
    [ -z "$(find "$1" -name '*.damaged*' -o -name '*.misnamed*')" ] || fail "$1: set aside: $(ls "$1/checkpoints")"
}

# Failures that stay. Ranks, run.restart and the rank that fails change from case to case. (Every error at every call
# is test_checkpoint_errors.c's.)
number=0
for place in list open header tensor; do
    case $place in
    open) errors="EIO EACCES ESTALE EMFILE ENFILE ENOMEM ENOENT" ;;
    *) errors="EIO EMFILE" ;;
    esac
    for error in $errors; do
        number=$((number + 1))
        case $error in EMFILE | ENFILE | ENOMEM) wanted=71 ;; *) wanted=74 ;; esac
        ranks=$((1 + number % 2))
        restart=$([ $((number % 3)) = 0 ] && echo true || echo false)
        faults=()
        # Only the values are read by all ranks.
        [ $place = tensor ] && [ $ranks = 2 ] && faults=(GG_FAIL_RANK=1)
        resume "stays$number" $ranks $place $error 0.2 "${faults[@]}" -- run.restart="$restart"
        expect $wanted "tried again for 0.2 seconds" "stays$number"
        intact "stays$number"
        rm -r "stays$number"
    done
done

# Failures that pass.
number=0
for place in list open header tensor; do
    for error in $([ $place = open ] && echo ESTALE EMFILE || echo EIO); do
        number=$((number + 1))
        resume "passes$number" $((1 + number % 2)) $place $error 30 GG_FAIL_COUNT=3
        expect 0 "resuming from passes$number/checkpoints/$newest" "passes$number"
        grep -q "warning: .*tried again for 30 seconds" "passes$number.log" || fail "passes$number: no warning"
        intact "passes$number"
    done
done

# The watchdog, which would end a run after 3.6 + 3 seconds, lets it wait for 7.
resume waits 2 open ESTALE 30 GG_FAIL_COUNT=7 -- run.watchdog_minutes=0.01
expect 0 "resuming from waits/checkpoints/$newest" waits
grep -q "watchdog: .*waiting for storage" waits.log && fail "the watchdog took waiting for hanging"
intact waits

# Commands that load a checkpoint end at once, with the same statuses.
checkpoint=whole/checkpoints/$newest
for place in open header tensor; do
    for error in $([ $place = header ] && echo EIO || echo EIO EMFILE); do
        case $error in EMFILE) wanted=71 ;; *) wanted=74 ;; esac
        for command in "inspect $checkpoint --verify" "evaluate $checkpoint --data data/val-00000.h5" \
            "generate $checkpoint --prompt the --tokens 3"; do
            status=0
            # shellcheck disable=SC2086
            env GG_FAIL_READ=$place GG_FAIL_ERROR=$error GG_FAIL_FILE=$newest LD_PRELOAD="$GG_FAIL_IO" \
                ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 "$GRIDGPT" $command >command.log 2>&1 || status=$?
            expect $wanted "$newest" command
        done
    done
done

# Bytes that are wrong are another thing: the run goes on from the older checkpoint, and says so.
cp -r whole wrong
printf '\x55' | dd of="wrong/checkpoints/$newest" bs=1 seek=$(($(stat -c %s "wrong/checkpoints/$newest") / 2)) \
    conv=notrunc status=none
train 2 wrong run.steps=7
expect 0 "resuming from wrong/checkpoints/step-00000003.h5" wrong
[ -e "wrong/checkpoints/$newest.damaged" ] || fail "the damaged file was not set aside"

# A folder's listing that lags: a name without a file is no damage either.
cp -r whole lags
ln -s gone.h5 lags/checkpoints/step-00000009.h5
(sleep 1.5; rm lags/checkpoints/step-00000009.h5) &
train 2 lags run.steps=7
wait
expect 0 "resuming from lags/checkpoints/$newest" lags
