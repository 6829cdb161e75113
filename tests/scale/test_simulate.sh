#!/usr/bin/env bash
# The reduction's sources on a simulated fat tree (simulate.c): what each rank sends, and what does not depend on how
# fast anything is.
set -euo pipefail
[ -z "$GG_SANITIZE" ] || { echo "skipped: simulated ranks are coroutines"; exit 77; }
[ -x "${GG_SIMULATE:-}" ] || { echo "skipped: built without SimGrid (libsimgrid-dev)"; exit 77; }

# GPT-2 124M with 2 of its 12 blocks, of 7087872 parameters each: gradients (of a vocabulary padded to 50304) and buckets.
elements=$((124475904 - 10 * 7087872)) buckets=26
fail() { echo "FAILED: $*"; exit 1; }
simulated() { # NAME key=value...: a line of CSV in NAME.csv
    "$GG_SIMULATE" layers=2 "${@:2}" >"$1.csv" || fail "simulate ${*:2}"
}
"$GG_SIMULATE" header >header.csv
value() { # NAME COLUMN
    awk -F, -v column="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i; next } { print $at }' \
        header.csv "$1.csv"
}
is() { # NAME COLUMN VALUE
    [ "$(value "$1" "$2")" = "$3" ] || fail "$1: $2 is $(value "$1" "$2"), not $3"
}
holds() { # CONDITION of awk
    awk "BEGIN { exit !($1) }" || fail "$1"
}

fast="link=12.1 latency=0.4 message=0.5"
simulated tree way=tree nodes=4 alone=true
simulated tree_fast way=tree nodes=4 alone=true $fast
simulated tree_calls way=tree nodes=4 progress=calls
simulated tree_odd way=tree nodes=3
simulated tree_composed way=tree nodes=4 buckets=8
simulated pairwise way=pairwise nodes=4 alone=true
simulated ring way=library nodes=4 buckets=2

# Messages of a rank: 2 log2(D) a bucket by the tree, whose last round among 12 has the radix 3; 2 (D - 1) pairwise.
is tree messages $((buckets * 2 * 4))
is tree_odd messages $((buckets * 2 * (1 + 1 + 2)))
is pairwise messages $((buckets * 2 * 15))
# Bytes: each rank's 2 (D - 1) / D of the gradients, whichever way they go.
for name in tree tree_fast tree_calls pairwise; do
    is $name all_bytes $((2 * 15 * 4 * elements))
done
is tree_odd all_bytes $((2 * 11 * 4 * elements))
# To other nodes: pairwise 12 of 15; by the tree, which adds up inside a node first, a quarter of that.
is pairwise all_bytes_off_node $((2 * 12 * 4 * elements))
is tree all_bytes_off_node $((2 * 3 * 4 * elements))

for name in tree tree_fast pairwise; do
    # Nothing is faster than the links of the four nodes, or slower for what is hidden behind a backward pass.
    bytes=$(value $name all_bytes_off_node) alone=$(value $name alone_s) visible=$(value $name visible_s)
    holds "$alone >= $bytes / 4 / ($(value $name link_GBps) * 1e9)"
    holds "$visible > 0 && $visible < $alone"
done
holds "$(value tree_fast alone_s) < $(value tree alone_s)"
holds "$(value tree_fast step_s) < $(value tree step_s)"
holds "$(value tree alone_s) < $(value pairwise alone_s)"
holds "$(value tree step_s) < $(value ring step_s)"
holds "$(value tree step_s) <= $(value tree_calls step_s)" # a thread misses nothing that calls see
# A step made of the time of its buckets is the simulated one.
holds "($(value tree_composed visible_s) / $(value tree visible_s) - 1) ^ 2 < 0.1 ^ 2"

"$GG_SIMULATE" nodes=0 2>refused.txt && fail "no node was not refused"
grep -q "nodes" refused.txt
