# What else may happen to the folder of checkpoints: removed during a run, files that are not what their names say, no
# plain files, limits on files and descriptors, a file system that becomes read-only.
source "$GG_SOURCE/tests/jobs/training.sh"

# wait_for TEXT FILE: until the file has it.
wait_for() {
    for _ in $(seq 600); do
        grep -qF -- "$1" "$2" 2>/dev/null && return
        sleep 0.1
    done
    cat "$2" >&2
    fail "'$1' never came in $2"
}

# wait_for_file FILE
wait_for_file() {
    for _ in $(seq 600); do
        [ -e "$1" ] && return
        sleep 0.1
    done
    fail "$1 never came"
}

# whole FILE: it verifies.
whole() { "$GRIDGPT" inspect "$1" --verify >inspect.log 2>&1 || { cat inspect.log; fail "$1 is not whole"; }; }

# Removed during a run, with checkpoints behind the training and without: made again, with a word.
for async in true false; do
    rm -rf gone
    mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir=gone run.steps=100000 eval.sequences=1 \
        checkpoint.every_steps=20 checkpoint.async=$async >gone.log 2>&1 &
    pid=$!
    wait_for_file gone/checkpoints/step-00000020.h5
    mv gone/checkpoints taken-$async
    wait_for "has been made again" gone.log
    kill -USR1 $pid
    status=0
    wait $pid || status=$?
    expect 75 "gone/checkpoints was gone" gone
    whole "$(ls gone/checkpoints/step-*.h5 | tail -1)"
done

# Where it cannot be made again the run ends with 74.
rm -rf gone
mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir=gone run.steps=100000 eval.sequences=1 checkpoint.every_steps=20 \
    >gone.log 2>&1 &
pid=$!
wait_for_file gone/checkpoints/step-00000020.h5
mv gone/checkpoints taken
touch gone/checkpoints
wait_for "warning: no checkpoint of step" gone.log
kill -USR1 $pid
status=0
wait $pid || status=$?
expect 74 "gone/checkpoints" gone

# A file that is named for another step than it holds: not used, said, set aside, and no newer one goes for it.
train 1 named run.steps=6 checkpoint.every_steps=2
cp named/checkpoints/step-00000002.h5 named/checkpoints/step-00000900.h5
status=0
"$GRIDGPT" evaluate named --data data/val-00000.h5 >evaluate.log 2>&1 || status=$?
expect 65 "named/checkpoints/step-00000900.h5: is named for step 900 and holds step 2" evaluate
train 2 named run.steps=10 checkpoint.every_steps=1 checkpoint.keep=2
expect 0 "not used: named/checkpoints/step-00000900.h5: is named for step 900 and holds step 2" named
grep -qF "resuming from named/checkpoints/step-00000006.h5" named.log || fail "not resumed from step 6"
[ "$(ls named/checkpoints | tr '\n' ' ')" = "step-00000009.h5 step-00000010.h5 step-00000900.h5.misnamed " ] ||
    fail "kept: $(ls named/checkpoints)"
cmp -s named/checkpoints/step-00000900.h5.misnamed named/checkpoints/step-00000010.h5 && fail "another file was set aside"

# No plain files: refused at once.
mkfifo pipe.h5
mkdir folder.h5
ln -s /dev/zero device.h5
"$GG_TEST_PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket.h5")'
for kind in pipe folder device socket; do
    for command in "inspect $kind.h5" "evaluate $kind.h5 --data data/val-00000.h5" "generate $kind.h5 --prompt the"; do
        [ "$kind ${command%% *}" != "folder inspect" ] && [ $kind = folder ] && continue # a run's folder is looked into
        status=0
        # shellcheck disable=SC2086
        timeout 20 "$GRIDGPT" $command >command.log 2>&1 || status=$?
        expect 65 "$kind.h5: is a " command
    done
done
mkfifo named/checkpoints/step-00000011.h5
train 2 named run.steps=11 checkpoint.keep=2
expect 0 "not used: named/checkpoints/step-00000011.h5: is a FIFO" named
whole named/checkpoints/step-00000011.h5

# Files that may not grow (the signal SIGXFSZ, which kills): a rank alone, or one of two that only writes its share, with
# a checkpoint that is larger than what MPI writes for itself.
limited() { # RANKS KILOBYTES: trains with the last rank's files limited
    rm -rf small
    status=0
    mpirun -n "$1" bash -c '[ "$OMPI_COMM_WORLD_RANK" = "$1" ] && ulimit -f "$2"
        exec "$GRIDGPT" train settings.yaml run.dir=small run.steps=4 checkpoint.every_steps=2 "${@:3}"' \
        limited $(($1 - 1)) "$2" model.width=256 >small.log 2>&1 || status=$?
}
for case in "1 0" "1 100" "1 8000" "2 8000"; do
    # shellcheck disable=SC2086
    limited $case
    expect 74 "gridgpt train: " small
    [ ! -e small/checkpoints ] || [ -z "$(ls small/checkpoints)" ] || fail "ulimit -f $case: left $(ls small/checkpoints)"
done
grep -q "warning: no checkpoint of step 2: .*small/checkpoints/step-00000002.h5.*rank 1.*File too large\|warning: no checkpoint of step 2: rank 1: .*File too large" small.log ||
    { cat small.log; fail "not told which rank cannot write"; }
limited 2 100000
expect 0 "small/checkpoints/step-00000004.h5" small
whole small/checkpoints/step-00000004.h5

# Descriptors that run out, from the start (MPI itself may end then) ...
succeeded=0
for limit in $(seq 20 2 30); do
    rm -rf few
    status=0
    (ulimit -n "$limit" && exec timeout 60 "$GRIDGPT" train settings.yaml run.dir=few run.steps=2) >few.log 2>&1 || status=$?
    [ $status -lt 100 ] || { cat few.log; fail "ulimit -n $limit: exit status $status"; }
    [ -z "$(find few -name '*.tmp' 2>/dev/null)" ] || fail "ulimit -n $limit: left $(ls few/checkpoints)"
    [ $status != 0 ] || { whole few/checkpoints/step-00000002.h5; succeeded=$((succeeded + 1)); }
done
[ $succeeded -gt 0 ] || fail "no limit is enough"

# ... or in the middle of a run: a checkpoint that is not written is warned of, the next one is; the last ends it with 71.
# started NAME [key=value]...: begins a long run in the background, and waits for its first checkpoint.
started() {
    local name=$1
    rm -rf "$name/metrics.jsonl"
    "$GRIDGPT" train settings.yaml run.dir="$name" run.steps=100000 eval.sequences=1 checkpoint.every_steps=20 \
        checkpoint.keep=3 "${@:2}" >"$name.log" 2>&1 &
    pid=$!
    wait_for_file "$name/checkpoints/step-00000020.h5"
}

# stop NAME STATUS TEXT
stop() {
    kill -USR1 $pid
    status=0
    wait $pid || status=$?
    expect "$2" "$3" "$1"
    [ -z "$(ls "$1/checkpoints" | grep -v '^step-[0-9]*\.h5$')" ] || fail "$1: left $(ls "$1/checkpoints")"
    for file in "$1"/checkpoints/step-*.h5; do whole "$file"; done
}

if command -v prlimit >/dev/null; then
    for async in true false; do
        rm -rf dry
        started dry checkpoint.async=$async
        prlimit --pid $pid --nofile=6:1024
        wait_for "warning: no checkpoint of step" dry.log
        prlimit --pid $pid --nofile=1024:1024
        newest=$(ls dry/checkpoints | tail -1)
        for _ in $(seq 600); do
            [ "$(ls dry/checkpoints | tail -1)" != "$newest" ] && break
            sleep 0.1
        done
        [ "$(ls dry/checkpoints | tail -1)" != "$newest" ] || fail "no checkpoint after the descriptors came back"
        prlimit --pid $pid --nofile=6:1024
        stop dry 71 "Too many open files"
    done
fi

# A file system that becomes read-only and comes back, in a mount namespace of its own.
mkdir -p ro/checkpoints
if unshare -m mount -t tmpfs none ro/checkpoints 2>/dev/null; then
    export -f started stop wait_for wait_for_file whole expect fail
    unshare -m bash -c '
        set -euo pipefail
        mount -t tmpfs none ro/checkpoints
        started ro
        until mount -o remount,ro ro/checkpoints 2>/dev/null; do sleep 0.01; done
        wait_for "Read-only file system" ro.log
        stop ro 74 "Read-only file system"
        newest=$(ls ro/checkpoints | tail -1)
        mount -o remount,rw ro/checkpoints
        mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir=ro run.steps=$((10#${newest:5:8} + 1)) >ro.log 2>&1
        grep -qF "resuming from ro/checkpoints/$newest" ro.log || { cat ro.log; fail "not resumed from $newest"; }
    ' || fail "read-only: see above"
fi
