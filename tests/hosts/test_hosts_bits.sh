# Training over several hosts ends with the bits of as many ranks on one, whatever the links carry.
source "$GG_SOURCE/tests/hosts/hosts.sh"
source "$GG_SOURCE/tests/jobs/training.sh"
hosts_start 4
small="run.steps=8 eval.sequences=1 eval.every_steps=1000"

# run NAME HOSTS [key=value]...: with the checksums of what it ends with in NAME.sums.
run() {
    local name=$1 hosts=$2
    shift 2
    status=0
    # shellcheck disable=SC2086
    host_mpirun h1 --host "$hosts" "$GRIDGPT" train settings.yaml run.dir="$name" $small "$@" >"$name.log" 2>&1 || status=$?
    expect 0 "checkpoint: $name" "$name"
    checksums "$name/checkpoints/step-00000008.h5" >"$name.sums"
    [ -s "$name.sums" ] || fail "$name: no tensors"
}

# same NAME WHOLE: two runs ended with the same bits.
same() { cmp "$1.sums" "$2.sums" || fail "$1: other weights or moments than on one host ($2)"; }

# sent HOST: bytes over its link since the last call.
declare -A sent_before=()
sent() {
    local now
    now=$(link_bytes "$1")
    bytes=$((now - ${sent_before[$1]:-0}))
    sent_before[$1]=$now
}

# The gradients of 36,128 parameters cross each host's link in every step: half of them for a sum, half of it back.
run one h1:2
sent h1
sent h2
run two h1:1,h2:1
for host in h1 h2; do
    sent $host
    [ "$bytes" -gt $((8 * 36000 * 4)) ] || fail "$host sent $bytes bytes: the ranks do not talk TCP"
done
same two one

run one-zero h1:4 parallel.zero=1
run two-zero h1:2,h2:2 parallel.zero=1
same two-zero one-zero
run four-zero h1:1,h2:1,h3:1,h4:1 parallel.zero=1
same four-zero one-zero
run four-tree h1:1,h2:1,h3:1,h4:1 parallel.reduction=tree
same four-tree one-zero

run one-grid h1:2 parallel.grid=2x1
run two-grid h1:1,h2:1 parallel.grid=2x1
same two-grid one-grid

# A slow link is one: what is sent goes through its queue.
link_slow h2 1gbit
run slow h1:1,h2:1
same slow one
queued=$(on_host h2 tc -s qdisc show dev eth0 | sed -n 's/.* rate 1Gbit .*/slow/p; s/^ *Sent \([0-9]*\) bytes.*/\1/p')
set -- $queued
[ "$1" = slow ] && [ "$2" -gt $((8 * 36000 * 4)) ] || fail "the slow link's queue was sent: $queued"
