# Output that cannot be written is told of: by the exit status, and on standard error; what was computed and saved
# stays, and a training goes on. Metrics that are deleted, renamed or cannot be written are mended.
source "$GG_SOURCE/tests/jobs/training.sh"
export ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 # libraries are loaded in front of the sanitizer's

train 1 run run.steps=4 checkpoint.every_steps=2
expect 0 "trained 4 steps" run
checkpoint=run/checkpoints/step-00000004.h5
small="model.layers=1 model.heads=1 model.width=32 model.context=32 model.vocab=300"

# lost STATUS TEXT COMMAND...: how the command ends, standard output being full and being closed.
lost() {
    local wanted=$1 text=$2 status
    shift 2
    status=0
    "$GRIDGPT" "$@" >/dev/full 2>lost.log || status=$?
    [ "$status" = "$wanted" ] || { cat lost.log >&2; fail "$*: full: exit status $status, not $wanted"; }
    grep -qF -- "$text" lost.log || { cat lost.log >&2; fail "$*: full: it does not say '$text'"; }
    [ "$1 ${2:-}" != "prepare --tokenizer" ] || rm -r again
    status=0
    "$GRIDGPT" "$@" >&- 2>lost.log || status=$?
    [ "$status" = "$wanted" ] || { cat lost.log >&2; fail "$*: closed: exit status $status, not $wanted"; }
    grep -qF -- "$text" lost.log || { cat lost.log >&2; fail "$*: closed: it does not say '$text'"; }
}

# shellcheck disable=SC2086
{
    lost 74 "standard output" evaluate $checkpoint --data data/val-00000.h5
    lost 74 "standard output" evaluate $checkpoint --data data/val-00000.h5 --json
    lost 74 "standard output" bench $small --repeats 1
    lost 74 "standard output" prepare --tokenizer tokenizer.json --out again text.txt
    lost 74 "standard output" inspect $checkpoint
    lost 74 "standard output" inspect $checkpoint --tensors
    lost 74 "standard output" settings settings.yaml
    lost 74 "standard output" settings settings.yaml --get run.dir
    lost 74 "standard output" tokenizer encode --tokenizer tokenizer.json text.txt
    lost 74 "standard output" generate $checkpoint --prompt the --tokens 5
    lost 74 "standard output" --help
    for command in tokenizer prepare settings train evaluate generate inspect bench; do
        lost 74 "standard output" $command --help
    done
}
# A file that is opened while standard output is closed is not written to in its place.
"$GRIDGPT" inspect --verify again/train-00000.h5 >inspect.log ||
    fail "prepare wrote its report into a shard"

# A reader that leaves: filters end of it without a word, as others do; a training goes on.
"$GRIDGPT" tokenizer encode --tokenizer tokenizer.json text.txt 2>pipe.log | head -c 1 >pipe.out || true
[ ! -s pipe.log ] || { cat pipe.log >&2; fail "encode complains of a reader that has left"; }
status=0
set +o pipefail
{ "$GRIDGPT" train settings.yaml run.dir=left run.steps=4 2>&1 || echo $? >left.status; } | head -n 1 >left.out
set -o pipefail
[ "$(cat left.status)" = 74 ] || fail "train without a reader: exit status $(cat left.status), not 74"
cmp <(checksums left/checkpoints/step-00000004.h5) <(checksums $checkpoint) || fail "it trained something else"

# A report that is lost: the training is whole, the status tells.
status=0
"$GRIDGPT" train settings.yaml run.dir=full run.steps=4 >/dev/full 2>&1 || status=$?
[ "$status" = 74 ] || fail "train on a full standard error: exit status $status, not 74"
status=0
"$GRIDGPT" train settings.yaml run.dir=closed run.steps=4 >&- 2>&- || status=$?
[ "$status" = 74 ] || fail "train on a closed standard error: exit status $status, not 74"
for name in full closed; do
    cmp <(checksums $name/checkpoints/step-00000004.h5) <(checksums $checkpoint) || fail "$name: it trained something else"
    [ "$(wc -l <$name/metrics.jsonl)" = 5 ] || fail "$name: lines are missing"
done

# handled NAME STEPS COMMAND...: a run that stands still in its third step, when the command is done to its folder.
handled() {
    local name=$1 steps=$2
    shift 2
    GG_SIGNAL_AT=sum:1 GG_SIGNAL=19 GG_SIGNAL_FILE=$name/metrics.jsonl GG_SIGNAL_TEXT='"step":2,' \
        LD_PRELOAD=$GG_SIGNAL_AT_LIBRARY \
        "$GRIDGPT" train settings.yaml run.dir="$name" run.steps="$steps" eval.sequences=1 >"$name.log" 2>&1 &
    pid=$!
    for _ in $(seq 600); do
        ! grep -qs '^State:.T' /proc/$pid/status || break
        sleep 0.1
    done
    grep -q '"step":2,' "$name/metrics.jsonl" || fail "$name: it does not stand still behind its second step"
    "$@"
    kill -CONT $pid
    last=$steps
}
# ended: waits for its end.
ended() {
    status=0
    wait $pid || status=$?
}

# complete FILE...: they have the lines of every step, each once and in order.
complete() { cmp <(sed 's/.*"step":\([0-9]*\).*/\1/' "$@") <(seq 0 "$last") || fail "$*: lines are missing"; }

handled deleted 8 rm deleted/metrics.jsonl
ended
expect 0 "warning: deleted/metrics.jsonl was deleted: made again, with all its lines" deleted
complete deleted/metrics.jsonl

move_away() { mv gone moved; mkdir -p gone/checkpoints; }
handled gone 8 move_away
ended
expect 0 "warning: gone/metrics.jsonl is under this name no more: a new one is begun" gone
complete moved/metrics.jsonl gone/metrics.jsonl

handled rotated 8 mv rotated/metrics.jsonl rotated/metrics.1
ended
expect 0 "warning: rotated/metrics.jsonl is under this name no more: a new one is begun" rotated
complete rotated/metrics.1 rotated/metrics.jsonl

edit() { sed -i 's/"mfu"/"MFU"/' replaced/metrics.jsonl; printf '{"note":1}' >>replaced/metrics.jsonl; }
handled replaced 8 edit
ended
expect 0 "warning: replaced/metrics.jsonl was replaced by another file: lines go there from now on" replaced
complete <(grep -v note replaced/metrics.jsonl)

# Lines that cannot be written for a while come later; one warning.
bar() { mv barred/metrics.jsonl barred/earlier; mkdir barred/metrics.jsonl; }
handled barred 100000 bar
for _ in $(seq 600); do
    [ "$(grep -c '^train [0-9]*/' barred.log)" -lt 10 ] || break
    sleep 0.1
done
kill -STOP $pid
rmdir barred/metrics.jsonl
mv barred/earlier barred/metrics.jsonl
kill -CONT $pid
for _ in $(seq 600); do
    ! grep -q 'written again' barred.log || break
    sleep 0.1
done
kill -USR1 $pid
ended
last=$(sed -n 's/.*on request at step \([0-9]*\) of.*/\1/p' barred.log)
expect 75 "warning: barred/metrics.jsonl: was replaced by another file, which cannot be written" barred
[ "$(grep -c '^warning: barred' barred.log)" = 1 ] || { cat barred.log >&2; fail "it is warned of more than once"; }
complete barred/metrics.jsonl

# Never: the run ends as it would, and its status tells.
handled never 4 ln -sf /dev/full never/metrics.jsonl
ended
expect 74 "never/metrics.jsonl: cannot be written: No space left on device; 2 of its lines are lost" never
cmp <(checksums never/checkpoints/step-00000004.h5) <(checksums $checkpoint) || fail "never: it trained something else"
rm never/metrics.jsonl
train 1 never run.steps=4 eval.sequences=1
expect 0 "nothing to do" never
