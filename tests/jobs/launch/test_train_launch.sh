# Mistakes in how a run was launched: each is one message. And stopping for run.max_minutes.
source "$GG_SOURCE/tests/jobs/training.sh"

# once NAME TEXT: stands in its output exactly once.
once() { [ "$(grep -cF -- "$2" "$1.log")" = 1 ] || { cat "$1.log" >&2; fail "$1: '$2' not once in the output"; }; }

# run NAME COMMAND...: its output in NAME.log, its exit status in $status.
run() {
    local name=$1
    shift
    status=0
    "$@" >"$name.log" 2>&1 || status=$?
}

# Singletons: a Slurm step without PMIx; another MPI's mpirun.
for task in 0 1; do
    run srun$task env SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=$task "$GRIDGPT" train settings.yaml run.dir=lone
    run pmi$task env PMI_SIZE=3 PMI_RANK=$task "$GRIDGPT" train settings.yaml run.dir=lone
    [ $task = 0 ] || { [ ! -s srun1.log ] && [ ! -s pmi1.log ]; } || fail "the second task speaks too"
    [ "$status" = 64 ] || fail "PMI, task $task: status $status"
done
once srun0 "srun started 2 tasks that cannot find each other; start it with srun --mpi=pmix"
once pmi0 "started 3 tasks, but the MPI world has 1: each works alone"
[ ! -e lone ] || fail "a singleton made a run folder"
run good env SLURM_STEP_NUM_TASKS=1 SLURM_PROCID=0 SLURM_NTASKS=2 "$GRIDGPT" train settings.yaml run.dir=good run.steps=1
expect 0 "checkpoint: good" good

# Another program, other words, another settings file on some ranks.
cp "$GRIDGPT" other
printf 'x' >>other
cp settings.yaml settings2.yaml
echo 'data.seed: 5' >>settings2.yaml
mkdir -p elsewhere
host=$(hostname)
run program mpirun -n 1 "$GRIDGPT" train settings.yaml run.dir=p : -n 2 ./other train settings.yaml run.dir=p
expect 64 "the program file of rank 1 on $host, rank 2 on $host is not that of rank 0" program
run words mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir=p : -n 1 "$GRIDGPT" train settings.yaml run.dir=q
expect 64 "the command line of rank 2 on $host is not that of rank 0" words
cp settings2.yaml elsewhere/settings.yaml
run file mpirun -n 1 "$GRIDGPT" train settings.yaml run.dir=p : -n 1 -wdir "$PWD/elsewhere" "$GRIDGPT" train settings.yaml run.dir=p
expect 64 "the settings file of rank 1 on $host is not that of rank 0" file
[ ! -e p ] || fail "a refused launch made a run folder"

# More threads than cores: refused for a rank that is bound, a warning for a node.
cores=$(env -u OMP_NUM_THREADS nproc)
run bound env OMP_NUM_THREADS=2 taskset -c "$(taskset -pc $$ | sed 's/.*: \([0-9]*\).*/\1/')" "$GRIDGPT" train settings.yaml run.dir=p
expect 64 "2 threads, but only 1 cores to run on" bound
[ ! -e p ] || fail "a refused launch made a run folder"
train $((cores + 1)) over run.steps=1 batch.sequences=$((2 * (cores + 1)))
expect 0 "checkpoint: over" over
once over "warning: the ranks of a node have $((cores + 1)) threads on $cores cores"
once over "driven on by calls between kernels" # no core is free for a thread
if [ "$cores" -gt 1 ]; then
    OMP_PROC_BIND=close OMP_PLACES=cores train 2 same run.steps=1
    once same "warning: the ranks of a node have 2 threads on 1 cores"
    train 2 apart run.steps=1
    ! grep -q "warning: the ranks" apart.log || fail "a warning without a reason"
fi

# A matmul library that takes the processor for an old one.
OPENBLAS_CORETYPE=Prescott DNNL_MAX_CPU_ISA=SSE41 train 1 slow run.steps=1
expect 0 "checkpoint: slow" slow
if grep -qw fma /proc/cpuinfo; then
    once slow "of the processor's rate"
    grep -qF "OPENBLAS_CORETYPE" slow.log || fail "slow: no advice"
fi

# The run's own time limit: 10 seconds are kept back.
train 2 minutes run.steps=1000000 run.max_minutes=0.25
expect 75 "stopped before its time is up at step" minutes
SLURM_JOB_END_TIME=$(($(date +%s) + 15)) train 2 minutes run.steps=1000000
expect 75 "stopped before its time is up at step" minutes
once minutes "resuming from"
SLURM_JOB_END_TIME=soon train 2 minutes run.steps=1000000
expect 64 "SLURM_JOB_END_TIME is 'soon'" minutes

# The settings of a run, for job scripts.
[ "$("$GRIDGPT" settings settings.yaml run.dir='a b' --get run.dir)" = "a b" ] || fail "settings --get"
"$GRIDGPT" settings settings.yaml run.steps=33 >resolved.yaml
[ "$("$GRIDGPT" settings resolved.yaml)" = "$(cat resolved.yaml)" ] || fail "settings does not read what it prints"
run unknown "$GRIDGPT" settings settings.yaml --get run.dri
expect 64 "unknown setting 'run.dri'; did you mean 'run.dir'?" unknown
run invalid "$GRIDGPT" settings settings.yaml model.width=33
expect 64 "does not divide" invalid
