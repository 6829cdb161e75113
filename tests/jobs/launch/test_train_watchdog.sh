# A run that hangs: every rank that can says where it is, and the job ends. One that is merely suspended goes on.
source "$GG_SOURCE/tests/jobs/training.sh"
mpirun_as_usual

limits="run.watchdog=4 run.watchdog_minutes=0.1"

# start NAME RANKS [key=value]...: in the background, until its third step; the ranks' process ids in $ranks.
start() {
    local name=$1 count=$2
    shift 2
    # shellcheck disable=SC2086
    mpirun -n "$count" "$GRIDGPT" train settings.yaml run.dir="$name" run.steps=1000000 eval.sequences=1 $limits "$@" >"$name.log" 2>&1 &
    job=$!
    for _ in $(seq 600); do
        grep -qF "train 3/" "$name.log" && break
        sleep 0.1
    done
    grep -qF "train 3/" "$name.log" || { cat "$name.log" >&2; fail "$name: no step"; }
    mapfile -t ranks < <(pgrep -P $job | sort -n)
    [ ${#ranks[@]} = "$count" ] || fail "$name: ${#ranks[@]} ranks found"
}

# A process that runs; one that only waits to be reaped does not.
alive() { grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null; }

# finish: waits for the job's end, at most half a minute.
finish() {
    status=0
    for _ in $(seq 300); do
        alive $job || break
        sleep 0.1
    done
    ! alive $job || { kill -KILL $job "${ranks[@]}"; fail "$1: the job does not end"; }
    wait $job || status=$?
}

# One of three ranks stands still: the two others say that they wait for it, and the job is over.
start hang 3
kill -STOP "${ranks[1]}"
finish hang
[ "$status" = 1 ] || { tail -n 30 hang.log >&2; fail "hang: status $status, not 1"; }
for rank in 0 2; do
    grep -q "watchdog: rank $rank on .*nothing has ended for .*median step.*behind step [0-9]*, phase: [a-z ]*, in the collective: sum of" hang.log ||
        { tail -n 30 hang.log >&2; fail "hang: rank $rank does not say where it is"; }
done
! grep -q "watchdog: rank 1 " hang.log || fail "hang: a stopped process speaks"
[ "$(grep "watchdog: not heard from" hang.log)" = "watchdog: not heard from: rank 1 on $(hostname)" ] ||
    { tail -n 30 hang.log >&2; fail "hang: not told who did not answer, or more than once"; }
for _ in $(seq 100); do
    alive "${ranks[1]}" || break
    sleep 0.1
done
! alive "${ranks[1]}" || fail "hang: the stopped rank is left over"

# The whole job stands still for longer than the limit, as under scontrol suspend.
start suspended 2
kill -STOP "${ranks[@]}"
sleep 9
kill -CONT "${ranks[@]}"
sleep 1
kill -USR1 $job
finish suspended
expect 75 "stopped on request" suspended
! grep -q "^watchdog:" suspended.log || fail "suspended: the watchdog barked"

# One rank hangs in its own work (nobody reads what it writes to), while the next run is under way.
mkdir own
mkfifo own/metrics.jsonl
mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir=own run.watchdog_minutes=0.01 >own.log 2>&1 &
own=$!

# Switched off.
start off 2 run.watchdog=0
kill -STOP "${ranks[1]}"
sleep 10
! grep -q "^watchdog:" off.log || fail "off: the watchdog barked"
kill -CONT "${ranks[1]}"
kill -USR1 $job
finish off
expect 75 "stopped on request" off

for _ in $(seq 300); do
    alive $own || break
    sleep 0.1
done
! alive $own || { kill -KILL $own; fail "own: the job does not end"; }
status=0
wait $own || status=$?
expect 1 "watchdog: every rank was heard from" own
for rank in 0 1; do grep -q "watchdog: rank $rank on .*, phase: start" own.log || fail "own: rank $rank does not say where it is"; done
