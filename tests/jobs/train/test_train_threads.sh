# Every thread of a rank at once: one sums the gradients, one reads ahead, one writes checkpoints, one watches, one
# takes signals. The weights are those of a run that has none of them; asked to stop, or hanging, they end as they
# should. Short, for the thread sanitizer runs it too (tests/run.sh tsan).
source "$GG_SOURCE/tests/jobs/training.sh"

all="parallel.progress=thread checkpoint.async=true checkpoint.every_steps=2 checkpoint.keep=2 eval.every_steps=4"
none="parallel.progress=calls checkpoint.async=false run.watchdog=0"
# shellcheck disable=SC2086
{
    train 2 with run.steps=12 $all run.watchdog=50 run.watchdog_minutes=2
    expect 0 "trained 12 steps" with
    train 2 without run.steps=12 $none eval.every_steps=4
    expect 0 "trained 12 steps" without
}
grep -q "driven on by a thread" with.log || fail "no thread sums"
[ "$(ls with/checkpoints | tr '\n' ' ')" = "step-00000010.h5 step-00000012.h5 " ] || fail "kept: $(ls with/checkpoints)"
for run in with without; do
    checksums $run/checkpoints/step-00000012.h5 >$run.sums
done
[ "$(wc -l <with.sums)" -gt 60 ] || fail "checksums: $(cat with.sums)"
cmp with.sums without.sums || fail "other bits with threads"
cmp <(values with val_loss) <(values without val_loss) || fail "other validation losses with threads"

# start NAME [key=value]...: a long run of two ranks in the background, until its fifth step.
start() {
    local name=$1
    shift
    # shellcheck disable=SC2086
    mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir="$name" run.steps=1000000 eval.sequences=1 $all "$@" >"$name.log" 2>&1 &
    job=$!
    for _ in $(seq 600); do
        grep -qF "train 5/" "$name.log" && return
        kill -0 $job 2>/dev/null || break
        sleep 0.1
    done
    cat "$name.log" >&2
    fail "$name: no fifth step"
}

start asked
kill -USR1 $job
status=0
wait $job || status=$?
expect 75 "stopped on request" asked

# No checkpoint and no evaluation once it runs, so that the other rank waits in the sum of the gradients.
start hang run.watchdog=2 run.watchdog_minutes=0.1 checkpoint.every_steps=1000000 eval.every_steps=1000000
mapfile -t ranks < <(pgrep -P $job | sort -n)
[ ${#ranks[@]} = 2 ] || fail "hang: ${#ranks[@]} ranks found"
kill -STOP "${ranks[1]}"
status=0
wait $job || status=$?
expect 1 "watchdog: rank 0 on " hang
expect 1 "in the collective: sum of" hang
