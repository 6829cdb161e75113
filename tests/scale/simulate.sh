#!/usr/bin/env bash
# Simulates the sum of gradients on 4 to 1,024 nodes (simulate.c): a table, a picture and all figures.
#
#   tests/scale/simulate.sh [--quick] [FOLDER]
#
# Writes FOLDER/scaling.{csv,md,svg}; FOLDER is build/scale where none is named. --quick: up to 16 nodes, in seconds;
# else about ten minutes on a core. Takes the program of $GG_SIMULATE, or builds it, for which libsimgrid-dev is needed.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
quick=false
if [ "${1:-}" = --quick ]; then
    quick=true
    shift
fi
folder=${1:-$source/build/scale}
mkdir -p "$folder"
csv=$folder/scaling.csv

if [ -z "${GG_SIMULATE:-}" ]; then
    (cd "$source" && cmake --preset check >/dev/null && cmake --build --preset check --target simulate >/dev/null) ||
        { echo "simulate.sh: the program 'simulate' could not be built: is libsimgrid-dev installed?"; exit 1; }
    GG_SIMULATE=$source/build/check/tests/scale/simulate
fi

# 10 Gbit/s: Ethernet and TCP, 94% of which are payload; 100: InfiniBand or RoCE, 97%. GB/s, and microseconds of one of
# the two to four links of a path, and of a processor for a message.
declare -A network=(
    [10]="link=1.175 latency=2.5 message=5"
    [100]="link=12.1 latency=0.4 message=0.5")
link_of() { sed 's/link=\([^ ]*\).*/\1/' <<<"${network[$1]}"; }
message_of() { sed 's/.*message=//' <<<"${network[$1]}"; }

"$GG_SIMULATE" header >"$folder/header.csv"
column() { # NAME <line
    awk -F, -v column="$1" 'NR == FNR { for (i = 1; i <= NF; i++) if ($i == column) at = i; next } { print $at }' \
        "$folder/header.csv" -
}
row() { # GBIT NODES WAY HOW MODEL <line
    local line
    line=$(cat)
    echo "$5,$1,$2,$((4 * $2)),$3,$4,$(column step_s <<<"$line"),$(column visible_s <<<"$line"),$(column efficiency <<<"$line"),$(column bucket_s <<<"$line"),$(column tail_s <<<"$line")" |
        tee -a "$csv"
}
# A bucket's time is the same whatever the model: each model's step from it.
steps() { # GBIT NODES WAY HOW BUCKET TAIL
    local model
    for model in gpt2-124m gpt2-1558m; do
        # shellcheck disable=SC2086
        "$GG_SIMULATE" ${network[$1]} nodes="$2" way="$3" model=$model bucket="$5" tail="$6" | row "$1" "$2" "$3" "$4" $model
    done
}
simulated() { # GBIT NODES WAY name=value...
    local line
    # shellcheck disable=SC2086
    line=$("$GG_SIMULATE" ${network[$1]} nodes="$2" way="$3" "${@:4}")
    steps "$1" "$2" "$3" simulated "$(column bucket_s <<<"$line")" "$(column tail_s <<<"$line")"
}
whole() { # GBIT NODES MODEL: not made of its buckets' time
    # shellcheck disable=SC2086
    "$GG_SIMULATE" ${network[$1]} nodes="$2" way=tree model="$3" | row "$1" "$2" tree whole "$3"
}
# Hockney 1994: a message takes alpha and its bytes beta. Pairwise a rank sends 2 (D - 1) for a bucket of 8 MiB, and the
# four of a node send (D - 4) / D of four buckets, twice, through its link. More than 16 nodes are more flows at once than
# SimGrid shares links among in minutes.
pairwise() { # GBIT NODES
    local bucket
    bucket=$(awk -v d=$((4 * $2)) -v link="$(link_of "$1")" -v alpha="$(message_of "$1")" \
        'BEGIN { print 2 * (d - 1) * alpha * 1e-6 + 2 * 4 * 8388608 * (d - 4) / d / (link * 1e9) }')
    steps "$1" "$2" pairwise formula "$bucket" 0
}
echo "model,gbit,nodes,replicas,way,how,step_s,visible_s,efficiency,bucket_s,tail_s" | tee "$csv"
for gbit in 10 100; do
    for nodes in 4 16; do
        simulated $gbit $nodes tree buckets=8
        simulated $gbit $nodes library buckets=2
        simulated $gbit $nodes pairwise buckets=2 moment=$((1000 / gbit))
        whole $gbit $nodes gpt2-124m
    done
    $quick && continue
    whole $gbit 4 gpt2-1558m
    simulated $gbit 64 tree buckets=8
    simulated $gbit 64 library buckets=2
    whole $gbit 64 gpt2-124m
    simulated $gbit 256 tree buckets=4
    simulated $gbit 256 library buckets=2
    simulated $gbit 1024 tree buckets=4
    for nodes in 64 256 1024; do
        pairwise $gbit $nodes
    done
done

# The table: step, what of it is reduction that nothing hides, and efficiency, for each way.
awk -F, '
    NR > 1 && $6 != "whole" {
        key = $1 "," $2 "," $3
        if (!(key in seen)) { seen[key] = 1; keys[++count] = key }
        cell[key, $5] = sprintf("%.2f s, %.0f ms, %.0f%%%s", $7, 1000 * $8, 100 * $9, $6 == "formula" ? " (f)" : "")
    }
    END {
        print "| model | Gbit/s | nodes | tree | pairwise | ring |\n|---|---|---|---|---|---|"
        for (i = 1; i <= count; i++) {
            split(keys[i], k, ",")
            printf "| %s | %s | %s | %s | %s | %s |\n", k[1], k[2], k[3], cell[keys[i], "tree"],
                cell[keys[i], "pairwise"], (keys[i], "library") in cell ? cell[keys[i], "library"] : "-"
        }
    }' "$csv" | (IFS= read -r a; IFS= read -r b; echo "$a"; echo "$b"; sort -t'|' -k2,2 -k3,3n -k4,4n) >"$folder/scaling.md"
rm "$folder/header.csv"
if command -v gnuplot >/dev/null; then
    gnuplot -e "csv='$csv'; out='$folder/scaling.svg'" "$source/tests/scale/scaling.gp"
fi
echo "$folder: scaling.csv, scaling.md, scaling.svg"
