# Training as Slurm jobs, with a real Slurm of two nodes (slurm/lab.sh) and the real job script: a time limit, a node
# that goes and comes back, scontrol requeue, a node that fails, scancel, a crash loop, wrong launches.
lab=$GG_SOURCE/slurm/lab.sh
job_script=$GG_SOURCE/slurm/pretrain.sbatch
export GG_LAB_DIR=/tmp/gridgpt-lab-test-$(cksum <<<"$PWD" | cut -d' ' -f1)
export OMPI_MCA_btl=self,vader,tcp
trap '"$lab" stop >/dev/null 2>&1' EXIT
"$lab" stop >lab.log 2>&1 && "$lab" start >lab.log 2>&1 || {
    code=$?
    [ $code = 77 ] || cp lab.log /dev/stderr
    echo "skipped: $(cat lab.log)"
    exit $code
}
export SLURM_CONF=$GG_LAB_DIR/slurm.conf
source "$GG_SOURCE/tests/jobs/training.sh"
mpirun_as_usual

# Validation at every step makes the jobs slow, and changes nothing in the weights; a constant learning rate lets
# run.steps be set as late as one likes.
cat >slow.yaml <<'Y'
model: {layers: 2, heads: 2, width: 32, context: 32, dropout: 0.1}
data: {train: "data/train-*.h5", val: "data/train-*.h5"}
batch: {sequences: 24, micro: 2}
optim: {lr: 2e-3, warmup: 5, schedule: constant}
eval: {every_steps: 1, sequences: 0}
run.steps: 1000000
checkpoint: {every_steps: 20, keep: 2}
Y

# submit NAME ARGUMENT... -- KEY=VALUE...: starts a job with folder NAME, log NAME.job, settings NAME.yaml; its id in $job.
submit() {
    local name=$1 arguments=()
    shift
    while [ "$1" != -- ]; do arguments+=("$1"); shift; done
    shift
    cp slow.yaml "$name.yaml"
    wait_until 20 "idle nodes for $name" idle_nodes
    job=$(sbatch --parsable --output="$name.job" "${arguments[@]}" "$job_script" "$name.yaml" "run.dir=$name" "$@") ||
        fail "$name: not submitted"
}

idle_nodes() { [ "$(sinfo --noheader --Node --format %T | sort -u)" = idle ]; }

state() { scontrol show job "$job" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }

# wait_until SECONDS WHAT COMMAND...
wait_until() {
    local tries=$(($1 * 5)) what=$2
    shift 2
    until "$@"; do
        if [ $((tries -= 1)) -le 0 ]; then
            tail -n 40 ./*.job >&2
            scontrol show job >&2
            fail "$what: it did not come"
        fi
        sleep 0.2
    done
}

# has NAME PATTERN [TIMES]: the job's log.
has() { [ -e "$1.job" ] && [ "$(grep -cE -- "$2" "$1.job")" -ge "${3:-1}" ]; }
is() { [ "$(state)" = "$1" ]; }
last_step() { ls "$1/checkpoints" | sed -n 's/step-0*\([0-9]*\).h5/\1/p' | tail -n 1; }

# finish NAME: lets the run end 30 steps after its newest checkpoint.
finish() { sed -i "s/run.steps:.*/run.steps: $(($(last_step "$1") + ${2:-30}))/" "$1.yaml"; }

# same_bits NAME: the run ended with the weights of one without interruption.
same_bits() {
    local steps
    steps=$(last_step "$1")
    train 2 "$1.whole" run.steps="$steps" optim.schedule=constant
    expect 0 "checkpoint: $1.whole" "$1.whole"
    cmp <(checksums "$1/checkpoints/$(ls "$1/checkpoints" | tail -n 1)") \
        <(checksums "$1.whole/checkpoints/$(ls "$1.whole/checkpoints" | tail -n 1)") ||
        fail "$1: other weights after $steps steps than without interruption"
    cmp <(values "$1" loss) <(values "$1.whole" loss) || fail "$1: other losses than without interruption"
}

# near_losses NAME: the run's losses are, to rounding, those of two ranks without interruption.
near_losses() {
    train 2 "$1.whole" run.steps="$(last_step "$1")" optim.schedule=constant
    expect 0 "checkpoint: $1.whole" "$1.whole"
    paste <(values "$1" loss) <(values "$1.whole" loss) |
        awk '{ difference = $1 - $2; if (NF != 2 || difference * difference > 1e-10 * $2 * $2) { print; bad = 1 } }
             END { exit bad || NR < 20 }' >&2 || fail "$1: other losses than without interruption"
}

no_processes() { ! pgrep -f "train cancel.yaml run.dir=cancel" >/dev/null; }

elapsed() { echo "$SECONDS s: $*"; }

# Over two nodes; signalled at its time limit; goes on with both ranks on one node, for the other is drained; signalled
# again; goes on over two nodes, and ends.
submit limit --nodes=1-2 --ntasks=2 --time=1 --signal=USR1@55 --
wait_until 60 "the first signal" has limit "stopped on request" 1
scontrol update NodeName=n2 State=DRAIN Reason=test
wait_until 90 "the second signal" has limit "stopped on request" 2
scontrol update NodeName=n2 State=RESUME
finish limit # well before the requeued job starts
wait_until 60 "the end" is COMPLETED
has limit "start 1 of job $job on n\[1-2\]," && has limit "start 2 of job $job on n1," &&
    has limit "start 3 of job $job on n\[1-2\]," || { cat limit.job >&2; fail "limit: other nodes"; }
has limit "status 75: requeued" 2 || fail "limit: not requeued by the script"
same_bits limit
elapsed limit

# scontrol requeue in mid-run: the ranks write a checkpoint when Slurm asks them to end; goes on, and ends.
submit requeue --nodes=2 --ntasks-per-node=1 --time=5 --
wait_until 30 "step 25" has requeue '^train 25/'
scontrol requeue "$job"
wait_until 20 "the requeued job" is PENDING
finish requeue
wait_until 40 "the end" is COMPLETED
has requeue "stopped on request" && has requeue "start 2 of job" || fail "requeue: not stopped in good order and started again"
same_bits requeue
elapsed requeue

# A node fails in mid-run: Slurm requeues the job, which is told to do with one node and goes on with one rank. Other
# layout: the same losses to rounding.
submit down --nodes=2 --ntasks-per-node=1 --time=5 --
wait_until 30 "step 25" has down '^train 25/'
scontrol update NodeName=n2 State=DOWN Reason=test
wait_until 20 "the requeued job" is PENDING
finish down
scontrol update JobId="$job" NumNodes=1 NumTasks=1
wait_until 40 "the end" is COMPLETED
scontrol update NodeName=n2 State=RESUME 2>/dev/null || true # it may have come back by itself: slurmd still runs
has down "start 2 of job $job on n1," || fail "down: not on n1 alone"
has down "D x P x Q = 1 x 1 x 1" || fail "down: not on one rank"
near_losses down
elapsed down

# scancel ends the job: not requeued, nothing left running, the newest checkpoint whole.
submit cancel --nodes=2 --ntasks-per-node=1 --time=5 --
wait_until 30 "step 25" has cancel '^train 25/'
scancel "$job"
wait_until 40 "the end" no_processes
wait_until 20 "the cancelled job" is CANCELLED
"$GRIDGPT" inspect --verify "cancel/checkpoints/$(ls cancel/checkpoints | tail -n 1)" >/dev/null || fail "cancel: damaged"
elapsed cancel

# A program that always crashes is started three times; one that crashes once is started again.
cat >crash.sh <<'C'
#!/bin/bash
[ "$1" != train ] || [ -e go-on ] || kill -SEGV $$
exec "$REAL" "$@"
C
chmod +x crash.sh
REAL=$GRIDGPT GRIDGPT=$PWD/crash.sh submit crash --nodes=1 --ntasks=1 --time=5 --
wait_until 60 "the last crash" is FAILED
has crash "status 139: requeued" 2 && has crash "^pretrain.sbatch: start " 3 &&
    has crash "3 starts in a row without a new checkpoint \(none yet\): not requeued" || { cat crash.job; fail "crash"; }
REAL=$GRIDGPT GRIDGPT=$PWD/crash.sh submit once --nodes=1 --ntasks=1 --time=5 --
wait_until 30 "the crash" has once "status 139: requeued"
touch go-on
sed -i 's/run.steps:.*/run.steps: 5/' once.yaml
wait_until 30 "the end" is COMPLETED
elapsed crash

# Wrong settings are never requeued, nor started.
submit wrong --nodes=1 --ntasks=1 --time=5 -- model.width=33
wait_until 20 "the end" is FAILED
has wrong "model.heads 2 does not divide model.width 33" || fail "wrong: no reason"
[ "$(scontrol show job "$job" | sed -n 's/.*ExitCode=\([0-9]*\).*/\1/p')" = 64 ] || fail "wrong: another status than 64"
[ ! -e wrong ] || fail "wrong: a run folder"

# Where srun has no way to bring the ranks together, one message and status 64; mpirun does it instead.
status=0
srun --mpi=none -N2 -n2 "$GRIDGPT" train settings.yaml run.dir=lone >lone.log 2>&1 || status=$?
expect 64 "srun started 2 tasks that cannot find each other; start it with srun --mpi=pmix" lone
[ "$(grep -c 'cannot find each other' lone.log)" = 1 ] || fail "lone: said more than once"
GRIDGPT_LAUNCHER=mpirun submit mpirun --nodes=2 --ntasks-per-node=1 --time=5 -- run.steps=20
wait_until 30 "the end" is COMPLETED
has mpirun "D x P x Q = 2 x 1 x 1" || fail "mpirun: not on two ranks"
same_bits mpirun
elapsed launches
