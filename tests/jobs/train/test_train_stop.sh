# Asked to stop, a run writes a checkpoint and ends with status 75: by Ctrl-C on a terminal, by SIGUSR1 to mpirun,
# by signals to a bare run; and goes on from there.
source "$GG_SOURCE/tests/jobs/training.sh"
mpirun_as_usual
command -v python3 >/dev/null || { echo "skipped: no python3 to make a terminal"; exit 77; }

long="run.steps=100000 eval.sequences=1"

# wait_for TEXT FILE: until the file has it.
wait_for() {
    for _ in $(seq 600); do
        grep -qF -- "$1" "$2" 2>/dev/null && return
        sleep 0.1
    done
    cat "$2" >&2
    fail "'$1' never came in $2"
}

# stopped NAME: the run ended in good order, and goes on for a step.
stopped() {
    expect 75 "the same command goes on from there" "$1"
    local step
    step=$(sed -n 's/.*stopped on request at step \([0-9]*\) of.*/\1/p' "$1.log")
    [ -e "$1/checkpoints/step-$(printf %08d "$step").h5" ] || fail "$1: no checkpoint of step $step"
    [ "$(tail -1 "$1/metrics.jsonl" | sed 's/{"step":\([0-9]*\).*/\1/')" = "$step" ] || fail "$1: metrics end elsewhere"
    train 2 "$1" run.steps=$((step + 1))
    expect 0 "step $step of" "$1"
}

# shellcheck disable=SC2086
signal_run() { # NAME SIGNAL COMMAND...: sends the signal to the command after its third step
    local name=$1 signal=$2
    shift 2
    "$@" train settings.yaml run.dir="$name" $long >"$name.log" 2>&1 &
    local pid=$!
    wait_for "train 3/" "$name.log"
    kill -"$signal" $pid
    status=0
    wait $pid || status=$?
}

signal_run usr1 USR1 mpirun -n 2 "$GRIDGPT"
stopped usr1
for signal in INT TERM USR1; do
    signal_run "bare$signal" $signal "$GRIDGPT"
    stopped "bare$signal"
done

# Signals that come thick and fast, from before the first step on.
status=0
mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir=often $long >often.log 2>&1 &
pid=$!
wait_for "ranks: 2" often.log
for _ in $(seq 40); do
    # mpirun itself dies of a signal that comes while it ends.
    grep -qE '^trained|stopped on request' often.log || kill -USR1 $pid
    sleep 0.02
done
wait $pid || status=$?
# A start that is slow enough is stopped before it has a step to save.
if grep -q "before the first step" often.log; then
    expect 75 "stopped on request before the first step of this start: nothing is lost" often
else
    stopped often
fi

# On a terminal: what is typed is ignored, Ctrl-C stops the run, the terminal is as before.
python3 "$GG_SOURCE/tests/jobs/train/terminal.py" ETA terminal.log \
    "mpirun -n 2 '$GRIDGPT' train settings.yaml run.dir=terminal $long; echo \"status \$?\"; stty -a" || fail "no terminal"
grep -q '^status 75' terminal.log || { cat terminal.log >&2; fail "Ctrl-C did not end with 75"; }
grep -q '[^-]icanon' terminal.log || fail "the terminal is left in another mode"
grep -qF 'train [' terminal.log || fail "no bar on a terminal"
status=75
stopped terminal
