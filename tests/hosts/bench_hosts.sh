#!/bin/bash
# How long sums of gradients take between hosts: `gridgpt bench` over 2 and 4 hosts on this machine (hosts.sh), a rank each, on
# links that carry all there is and 1 Gbit/s, for both ways and both precisions on the wire. To be run by hand, on a machine
# with nothing else to do; some two minutes.
#
#   tests/hosts/bench_hosts.sh [KEY=VALUE...]      settings beside those below: compute.precision=bf16
#
# Environment: GRIDGPT, the program (default: that of the release preset).
#
# In seconds: `alone` is the time of the sum when nothing hides it, which a step without overlap would wait; `visible` what
# it waits with overlap, as part of `step`. Then what a rank sends in a step. Hosts share the machine's cores: on two of them
# four hosts take twice the time of two for a step, and wait for each other; and the free link is memory.
GG_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export GG_SOURCE GRIDGPT=${GRIDGPT:-$GG_SOURCE/build/release/gridgpt}
[ -x "$GRIDGPT" ] || { echo "$GRIDGPT is not there: cmake --preset release && cmake --build --preset release" >&2; exit 64; }
if [ -z "${GG_HOSTS_INSIDE:-}" ]; then
    source "$GG_SOURCE/cmake/install-packages.sh"
    mpi_environment
    export OMPI_MCA_mpi_yield_when_idle=1 OMP_NUM_THREADS=1 GRIDGPT_GEMM_SECONDS=0.1
fi
source "$GG_SOURCE/tests/hosts/hosts.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
hosts_start 4

# 8.8 million parameters, 35 MB of gradients in fp32; a micro-batch of 512 tokens a step.
settings=(model.layers=4 model.heads=6 model.width=384 model.context=256 model.vocab=4096 batch.micro=2 optim.warmup=0)

# measure HOSTS LINK
measure() {
    local hosts=$1 link=$2 host list=
    for ((host = 1; host <= hosts; host++)); do list+=${list:+,}h$host:1; done
    for host in h1 h2 h3 h4; do [ "$link" = free ] || link_slow $host "$link"; done
    host_mpirun h1 --host "$list" "$GRIDGPT" bench "${settings[@]}" "${@:3}" parallel.reduction=pairwise --repeats 3 \
        --compare parallel.reduction=tree --compare parallel.wire=bf16 \
        --compare "parallel.reduction=tree parallel.wire=bf16" >bench.log 2>&1 ||
        { cat bench.log >&2; exit 1; }
    awk -v hosts="$hosts" -v link="$link" '
        /^-- / { name = $0; way = name ~ /tree/ ? "tree" : "pairwise"; wire = name ~ /bf16/ ? "bf16" : "fp32" }
        /^step  / { step = $2 }
        /^reduction / { alone = $3; visible = $6 }
        / messages and .* from each rank/ {
            printf "%-6s %-6s %-9s %-5s %9s %9s %9s %9s %9s\n", hosts, link, way, wire, step, alone, visible, $2, $5
        }' bench.log
    for host in h1 h2 h3 h4; do [ "$link" = free ] || link_slow $host free; done
}

printf '%-6s %-6s %-9s %-5s %9s %9s %9s %9s %9s\n' hosts link way wire step alone visible messages MB
for link in free 1gbit; do
    for hosts in 2 4; do measure $hosts $link "$@"; done
done
