#!/bin/bash
# A throw-away Slurm cluster of two nodes, n1 and n2, on this machine: to try job scripts, and for the tests.
#
#   slurm/lab.sh start     brings it up (seconds); it is no error when it is up already
#   slurm/lab.sh status    says whether it is up, and shows its nodes and jobs
#   slurm/lab.sh stop      cancels its jobs, ends its daemons, removes its folder
#
# Needs root and Debian's slurm-wlm and munge. Everything it makes lies in one folder, GG_LAB_DIR (by default
# gridgpt-lab in the system's temporary folder): configuration, key, sockets, state, logs. A Slurm or munge that
# the machine has already is neither used nor disturbed.
#
# The two nodes are two slurmd with ports of their own. The second one has a mount namespace with another /tmp and
# another /dev/shm: on one host, the PMIx servers of a job's nodes would otherwise meet in /tmp/spmix_appdir_*, and
# Open MPI's shared memory in /dev/shm/vader_segment.* as soon as each node has two ranks. What lies in /tmp when the
# cluster starts can be seen there all the same.
#
# Exit status: 0 done; 1 it could not start, or is not up (status); 64 usage; 77 it cannot run here, with the reason.
set -euo pipefail

dir=$(realpath -m "${GG_LAB_DIR:-${TMPDIR:-/tmp}/gridgpt-lab}")
conf=$dir/slurm.conf
export SLURM_CONF=$conf PATH=$PATH:/usr/sbin:/sbin
# The daemons carry this in their environment: so that stop finds what belongs to this folder, and nothing else.
mark=GG_LAB_DAEMON=$dir

say() { echo "lab: $*" >&2; }
fail() { say "$*"; exit 1; }
cannot() { say "cannot run here: $*"; exit 77; }

check_machine() {
    [ "$(id -u)" = 0 ] || cannot "it must be started as root"
    local program
    for program in slurmctld slurmd sbatch munged unshare; do
        command -v "$program" >/dev/null || cannot "$program is missing; apt-get install slurm-wlm munge"
    done
    unshare -m true 2>/dev/null || cannot "no mount namespace (unshare -m); a container needs CAP_SYS_ADMIN"
    [[ $dir != *[[:space:]]* ]] || cannot "the folder '$dir' has white space in its name; set GG_LAB_DIR"
    local length=$((${#dir} + 16))
    [ $length -lt 100 ] || cannot "the folder '$dir' has too long a name for sockets; set GG_LAB_DIR"
}

# free_port PORT: the first of five free ones from there on.
free_port() {
    local port=$1 next
    while :; do
        for next in 0 1 2 3 4; do
            if (exec 3<>"/dev/tcp/127.0.0.1/$((port + next))") 2>/dev/null; then
                port=$((port + next + 1))
                continue 2
            fi
        done
        echo "$port"
        return
    done
}

# cred_expire is also how long a requeued job waits before it starts again (120 s by default; at least 5).
write_configuration() {
    local host port
    host=$(hostname -s)
    port=$(free_port $((20000 + $(cksum <<<"$dir" | cut -d' ' -f1) % 10000)))
    cat >"$conf" <<C
ClusterName=lab
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=100000
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
SwitchType=switch/none
ReturnToService=2
KillWait=10
UnkillableStepTimeout=30
CompleteWait=0
SlurmdTimeout=30
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2
PartitionName=lab Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
C
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
    local tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}

daemon() { env "$mark" setsid "$@" </dev/null >>"$dir/daemons.log" 2>&1; }

nodes_ready() { [ "$(sinfo --noheader --Node --format %T | sort -u)" = idle ]; }

up() { [ -f "$conf" ] && nodes_answer; }
nodes_answer() { scontrol ping 2>/dev/null | grep -q UP; }

# The folder of the second slurmd's /tmp holds a bind mount of all that /tmp has, but for what nodes must not share.
start_second_node() {
    mkdir -p "$dir/tmp-n2"
    chmod 1777 "$dir/tmp-n2"
    daemon unshare -m --propagation private bash -c '
        set -e
        other=$1
        for entry in /tmp/* /tmp/.[!.]*; do
            name=${entry#/tmp/}
            case $name in spmix_appdir_* | ompi.* | pmix*) continue ;; esac
            if [ -L "$entry" ] || [ ! -e "$entry" ]; then continue; fi
            if [ -d "$entry" ]; then mkdir -p "$other/$name"; elif [ -f "$entry" ]; then : >"$other/$name"; else continue; fi
            mount --rbind "$entry" "$other/$name"
        done
        mount --rbind "$other" /tmp
        mount -t tmpfs tmpfs /dev/shm
        exec slurmd -N n2' second "$dir/tmp-n2"
}

start() {
    check_machine
    if up && wait_for 10 nodes_ready; then
        say "is up already"
    else
        remove
        mkdir -p "$dir" "$dir/state" "$dir/spool-n1" "$dir/spool-n2"
        chmod 755 "$dir"
        head -c 1024 /dev/urandom >"$dir/munge.key"
        chmod 600 "$dir/munge.key"
        write_configuration
        daemon munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" \
            --pid-file="$dir/munged.pid" --log-file="$dir/munged.log" --seed-file="$dir/munged.seed" ||
            fail "munged does not start: $(tail -n 3 "$dir/munged.log" "$dir/daemons.log")"
        wait_for 10 test -S "$dir/munge.socket" || fail "munged makes no socket; see $dir/munged.log"
        daemon slurmctld -c || fail "slurmctld does not start; see $dir/slurmctld.log"
        daemon slurmd -N n1 || fail "slurmd n1 does not start; see $dir/slurmd-n1.log"
        start_second_node || fail "slurmd n2 does not start; see $dir/slurmd-n2.log and $dir/daemons.log"
        wait_for 30 nodes_ready || fail "the nodes do not come up; see the logs in $dir"
        say "two nodes, n1 and n2, are up in $dir"
    fi
    echo "export SLURM_CONF=$conf"
}

# Process ids of this folder's daemons and job step managers.
daemons() {
    local process
    for process in /proc/[0-9]*; do
        if tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qxF "$mark"; then
            case $(readlink "$process/exe" 2>/dev/null) in
            */munged | */slurmctld* | */slurmd* | */slurmstepd*) echo "${process#/proc/}" ;;
            esac
        fi
    done 2>/dev/null
    return 0
}

# Children of the given processes, and theirs.
descendants() {
    local id child
    for id in "$@"; do
        for child in $(ps -o pid= --ppid "$id" 2>/dev/null); do
            echo "$child"
            descendants "$child"
        done
    done
}

no_daemons() { [ -z "$(daemons)" ]; }
no_jobs() { [ -z "$(squeue --noheader 2>/dev/null)" ]; }

# Ends every process and removes the folder.
remove() {
    if up; then
        scancel --user=root --hurry 2>/dev/null || scancel --user=root 2>/dev/null || true
        wait_for 5 no_jobs || true
    fi
    local ids
    ids=$(daemons)
    if [ -n "$ids" ]; then
        # shellcheck disable=SC2086
        ids="$ids $(descendants $ids)"
        # shellcheck disable=SC2086
        kill $ids 2>/dev/null || true
        # shellcheck disable=SC2086
        wait_for 5 no_daemons || kill -KILL $ids $(daemons) 2>/dev/null || true
        wait_for 5 no_daemons || fail "processes stay: $(daemons | tr '\n' ' ')"
    fi
    if [ -e "$dir" ]; then
        [ -f "$conf" ] || [ -z "$(ls -A "$dir")" ] || fail "$dir is not a lab's folder; set GG_LAB_DIR to another one"
        rm -rf "${dir:?}"
    fi
}

status() {
    up || fail "is not up"
    echo "export SLURM_CONF=$conf"
    sinfo --Node
    squeue
}

case ${1:-} in
start) start ;;
stop)
    check_machine
    remove
    say "stopped"
    ;;
status) status ;;
*)
    echo "usage: $0 start|stop|status" >&2
    exit 64
    ;;
esac
