# Sourced, before anything else. Several hosts on this machine, h1, h2, ..., joined by a switch: network namespaces, each
# with a veth pair to a bridge, and with a host name of its own, so that MPI takes them for different nodes and their ranks
# talk TCP.
#
# The script that sources this runs a second time, below the first, in namespaces of processes, mounts, host name, shared
# memory and network. All that it starts lives in them and dies with it, in whatever way it ends, and so do the switch and
# the hosts; the machine's own network is not even seen, and labs can stand side by side. Where such namespaces cannot be
# made the script ends with status 77, which ctest takes for skipped.
#
#   hosts_start N             hosts h1 ... hN, with the addresses 10.0.0.1 ... 10.0.0.N
#   on_host HOST COMMAND...   there, in this working folder; its exit status
#   host_mpirun HOST WORDS... mpirun there, with ranks where its --host says (h1:2,h2:2: two on each)
#   host_processes HOST       ids of what runs there, one a line
#   host_kill HOST            ends all of it at once, as a crash does
#   host_gives_up HOST N      connections there end after N resends (net.ipv4.tcp_retries2): 15 are a quarter of an hour
#   link_down HOST, link_up HOST...    pulls its cable out; puts cables in again, and all of them are to be in then
#   link_slow HOST RATE       what its cable carries each way, as tc spells it: 1gbit; `free`: all there is
#   link_bytes HOST           what it has sent so far
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

hosts_skip() { echo "skipped: $*"; exit 77; }

# What a kernel or a container may lack: a switch, a cable, its rate.
hosts_probe() {
    ip link add name switch type bridge && ip link add name cable type veth peer name plug &&
        tc qdisc add dev cable root tbf rate 1gbit burst 256k latency 50ms
}

# Runs the script inside, and ends with its status. unshare holds other signals than KILL back, and dies with this shell.
hosts_go_inside() {
    local words=(unshare --pid --fork --kill-child --mount --mount-proc --uts --ipc --net) program why inside status=0
    for program in ip tc unshare nsenter setpriv; do
        command -v $program >/dev/null || hosts_skip "no $program; apt-get install iproute2 util-linux"
    done
    why=$("${words[@]}" bash -c "$(declare -f hosts_probe); hosts_probe" 2>&1) ||
        hosts_skip "namespaces with a network of their own cannot be made here; root in a container needs CAP_SYS_ADMIN: $why"
    GG_HOSTS_INSIDE=1 setpriv --pdeathsig KILL "${words[@]}" bash "$0" "$@" &
    inside=$!
    # shellcheck disable=SC2064
    trap "kill -KILL $inside" HUP INT TERM
    wait $inside || status=$?
    exit $status
}

[ -n "${GG_HOSTS_INSIDE:-}" ] || hosts_go_inside "$@"
ip link set dev lo up
declare -A host_holder=()

# A process that does nothing but hold a host's namespaces. What Open MPI puts in memory and in folders for a session is
# to lie in the host's own /dev/shm.
host_start() {
    local host=$1 address=$2
    unshare --net --uts --ipc --mount bash -c '
        hostname "$1" && mount -t tmpfs tmpfs /dev/shm && ip link set dev lo up && touch "/dev/shm/$1" && exec sleep infinity' \
        holder "$host" &
    host_holder[$host]=$!
    until nsenter --target "${host_holder[$host]}" --mount test -e "/dev/shm/$host" 2>/dev/null; do
        kill -0 "${host_holder[$host]}" || { echo "host $host does not start" >&2; exit 1; }
        sleep 0.02
    done
    ip link add name "$host" type veth peer name eth0 netns "${host_holder[$host]}"
    ip link set dev "$host" master switch up
    on_host "$host" ip address add "$address/24" dev eth0
    on_host "$host" ip link set dev eth0 up
}

hosts_start() {
    local i names
    names=$(mktemp)
    for ((i = 0; i <= $1; i++)); do
        if [ $i = 0 ]; then echo "127.0.0.1 localhost"; else echo "10.0.0.$i h$i"; fi
    done >"$names"
    mount --bind "$names" /etc/hosts
    rm "$names"
    ip link add name switch type bridge
    ip link set dev switch up
    for ((i = 1; i <= $1; i++)); do host_start "h$i" "10.0.0.$i"; done
    for ((i = 1; i <= $1; i++)); do link_wait "h$i"; done
    host_write_agent
}

# What mpirun starts its daemons with, as it would with ssh: AGENT HOST COMMAND..., the words being for a shell there. Other
# than with ssh they inherit mpirun's environment. As with ssh, that a daemon has failed is heard after its connections have
# gone, and not while the link is cut.
host_write_agent() {
    local host
    {
        echo '#!/bin/bash'
        echo 'host=$1'
        echo 'case $host in'
        for host in "${!host_holder[@]}"; do echo "$host) holder=${host_holder[$host]} ;;"; done
        echo '*) echo "no host $host" >&2; exit 1 ;;'
        echo 'esac'
        echo 'shift'
        echo 'nsenter --target $holder --net --uts --ipc --mount --wd=. bash -c "$*" && exit'
        echo 'status=$?'
        echo 'hears() { [[ $(timeout 0.5 bash -c ": </dev/tcp/$host/9" 2>&1) == *refused* ]]; }'
        echo 'sleep 1'
        echo 'while kill -0 $PPID 2>/dev/null && ! hears; do sleep 0.1; done'
        echo 'exit $status'
    } >hosts-agent
    chmod +x hosts-agent
}

on_host() {
    local host=$1
    shift
    nsenter --target "${host_holder[$host]}" --net --uts --ipc --mount --wd=. "$@"
}

# ob1 and its TCP, whatever else an installation has.
host_mpirun() {
    local host=$1
    shift
    on_host "$host" env TMPDIR=/dev/shm OMPI_MCA_plm_rsh_agent="$PWD/hosts-agent" OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader,tcp \
        mpirun "$@"
}

host_processes() {
    local net
    net=$(readlink "/proc/${host_holder[$1]}/ns/net")
    net=${net#net:[}
    find /proc -maxdepth 3 -path '/proc/[0-9]*/ns/net' -lname "net:\[${net%]}\]" 2>/dev/null | cut -d/ -f3 |
        grep -vx "${host_holder[$1]}" || true
}

host_kill() {
    local ids
    ids=$(host_processes "$1")
    # shellcheck disable=SC2086
    [ -z "$ids" ] || kill -KILL $ids
}

host_gives_up() { on_host "$1" sh -c 'echo "$1" >/proc/sys/net/ipv4/tcp_retries2' sh "$2"; }

link_down() { ip link set dev "$1" down; }

link_up() {
    local host
    for host in "$@"; do ip link set dev "$host" up; done
    for host in "$@"; do link_wait "$host"; done
}

# A link that is up may take a second to carry anything, and its host gives up on addresses that it has long asked for. It
# is there when every other host refuses what it does not listen to.
link_wait() {
    local end=$((SECONDS + 30)) other
    for other in "${!host_holder[@]}"; do
        until [ "$other" = "$1" ] || [[ $(on_host "$1" bash -c ": </dev/tcp/$other/9" 2>&1) == *refused* ]]; do
            [ $SECONDS -lt $end ] || { echo "the link of $1 does not come up" >&2; exit 1; }
            sleep 0.05
        done
    done
}

link_slow() {
    local queue=(root tbf rate "$2" burst 256k latency 50ms)
    if [ "$2" = free ]; then
        tc qdisc del dev "$1" root
        on_host "$1" tc qdisc del dev eth0 root
    else
        tc qdisc replace dev "$1" "${queue[@]}"
        on_host "$1" tc qdisc replace dev eth0 "${queue[@]}"
    fi
}

link_bytes() { on_host "$1" awk '$1 == "eth0:" { print $10 }' /proc/net/dev; }
