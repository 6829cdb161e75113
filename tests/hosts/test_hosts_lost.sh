# A host that is lost: the job ends with a message that names it or its ranks, nothing is left over, and the run goes on
# from its last checkpoint to the bits of one that was never cut.
source "$GG_SOURCE/tests/hosts/hosts.sh"
source "$GG_SOURCE/tests/jobs/training.sh"
hosts_start 5
elapsed() { echo "$SECONDS s: $*"; }
# The watchdog's limit is 3.6 seconds.
long="optim.schedule=constant eval.sequences=1 eval.every_steps=1000 checkpoint.every_steps=10 run.watchdog=4 run.watchdog_minutes=0.06"

# start NAME HOST HOSTS [WORD...]: mpirun on HOST, in the background; its id in $job. WORDs with = are settings, others mpirun's.
start() {
    local name=$1 host=$2 hosts=$3 settings=() words=() word
    shift 3
    for word in "$@"; do
        if [[ $word == *.*=* ]]; then settings+=("$word"); else words+=("$word"); fi
    done
    # shellcheck disable=SC2086
    host_mpirun "$host" --host "$hosts" "${words[@]}" "$GRIDGPT" train settings.yaml run.dir="$name" $long run.steps=1000000 \
        "${settings[@]}" >"$name.log" 2>&1 &
    job=$!
}

# under_way NAME: waits until it has made fifteen steps, the first checkpoint among them.
under_way() { wait_for 60 "$1: its steps" steps_of "$1"; }
steps_of() { [ -e "$1.log" ] && [ "$(grep -c '^train ' "$1.log")" -ge 15 ]; }

# wait_for SECONDS WHAT COMMAND...
wait_for() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || { tail -v -n 40 ./*.log >&2; fail "$what: it did not come"; }
        sleep 0.05
    done
}

tells() { grep -qF -- "$2" "$1.log"; }
ended() { ! kill -0 "$1" 2>/dev/null; }
empty() { [ -z "$(host_processes "$1")" ]; }

# lost NAME SECONDS HOST...: the job, $job, ends with a failure, and leaves no process on the hosts.
lost() {
    local name=$1 seconds=$2 host
    shift 2
    wait_for "$seconds" "$name: the job's end" ended "$job"
    status=0
    wait "$job" || status=$?
    [ $status != 0 ] && [ $status != 75 ] || fail "$name: status $status"
    for host in "$@"; do wait_for "$seconds" "$name: no process on $host" empty "$host"; done
}

last_checkpoint() { find "$1/checkpoints" -name 'step-*.h5' | sort | tail -n 1; }

# Two jobs at once lose a host each, the second one, with mpirun on a host without ranks, that of rank 0. mpirun has a message under way to the lost host then, and
# ends when the kernel gives that up.
start cut h1 h1:2,h2:2
first=$job
start head h3 h4:1,h5:1
second=$job
under_way cut
under_way head
link_down h2
link_down h4
elapsed "two jobs under way"
wait_for 20 "cut: the roll" tells cut "watchdog: not heard from: ranks 2-3 on h2"
wait_for 20 "head: the roll" tells head "watchdog: not heard from: rank 0 on h4"
elapsed "the rolls were called"
for rank in 0 1; do tells cut "watchdog: rank $rank on h1: nothing has ended" || fail "cut: rank $rank does not say where it is"; done
[ "$(grep -c "watchdog: not heard from" cut.log)" = 1 ] || fail "cut: told more than once"
for host in h1 h2 h3 h4 h5; do host_gives_up $host 3; done
job=$first
lost cut 20 h1 h2
[ $status = 1 ] || fail "cut: status $status, not 1"
job=$second
lost head 20 h3 h4 h5
elapsed "both jobs are over"
link_up h2 h4
for host in h1 h2 h3 h4 h5; do host_gives_up $host 15; done

# It goes on over the link that is there again, and the second host ends all at once. mpirun notices that first.
before=$(last_checkpoint cut)
mv cut.log cut-first.log
start cut h1 h1:2,h2:2
under_way cut
tells cut "$before" || fail "cut: it did not go on from $before"
elapsed "a job is under way again"
host_kill h2
lost cut 20 h1 h2
tells cut "Remote daemon: [[" && grep -q "Remote daemon: .* on node h2" cut.log || fail "cut: mpirun does not name the host"

# And once more, to an end.
elapsed "it is over without a host"
steps=$(($(last_checkpoint cut | sed 's/.*step-0*\([0-9]*\).h5/\1/') + 5))
for run in cut whole; do
    # shellcheck disable=SC2086
    host_mpirun h1 --host h1:2,h2:2 "$GRIDGPT" train settings.yaml run.dir=$run $long run.steps=$steps >$run.log 2>&1 ||
        { cat $run.log >&2; fail "$run: status $?"; }
    checksums "$(last_checkpoint $run)" >$run.sums
done
[ -s cut.sums ] && cmp cut.sums whole.sums || fail "other weights or moments after $steps steps than without cuts"

elapsed "the run came to its end"
# A link that is cut and stays so, where mpirun looks for its daemons sooner than the watchdog's end: it tells.
start silent h1 h1:1,h2:1,h3:1 run.watchdog_minutes=1 --mca oob_tcp_keepalive_time 1 --mca oob_tcp_keepalive_intvl 1 \
    --mca oob_tcp_keepalive_probes 2
under_way silent
link_down h3
elapsed "a third job is under way"
lost silent 20 h1 h2 h3
grep -q "Remote daemon: .* on node h3" silent.log || { cat silent.log >&2; fail "silent: mpirun does not name the host"; }
elapsed "it is over"
