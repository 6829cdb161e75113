#!/bin/bash
# Fine-tuning by example: which part of the Bible is a verse from (law, history, poetry, prophets, gospels, letters)?
# Takes the model that jobs/quickstart.sh trained, gives it a head of classes, and trains it on the verses of nine
# chapters in ten, with 2 ranks, in some minutes; then tells how often it is right on the verses of the tenth, beside
# always saying the commonest part and beside a bag of words (naive Bayes).
#
# usage: jobs/examples/bible-parts.sh [RUN] [name=value]...   RUN: the quickstart's folder; without, its newest
set -euo pipefail
here=$(realpath "$(dirname "$0")/../..")
case "${1:-}" in
-h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
*=* | '') run=$(ls -d "$here"/runs/quickstart-* 2>/dev/null | tail -1) || true ;;
*) run=$(realpath "$1"); shift ;;
esac
[ -n "$run" ] && [ -d "$run/checkpoints" ] || { echo "bible-parts: no run to begin with; run jobs/quickstart.sh first" >&2; exit 64; }
source "$here/cmake/install-packages.sh"
mpi_environment
export OMP_NUM_THREADS=1
gridgpt=${GRIDGPT:-$here/build/release/gridgpt}
out=$run/parts-$(date +%Y%m%d-%H%M%S)
mkdir -p "$out"

# A line of JSON for each verse; every tenth chapter is kept for the test. The Acts are history, the Revelation a prophet's.
bible -f Gen1:1-Rev22:21 </dev/null | awk -v out="$out" '
function part(book) {
    if (book ~ /^(Ge|Exo|Lev|Num|Deu)$/) return "law"
    if (book ~ /^(Josh|Jdgs|Ruth|1Sm|2Sm|1Ki|2Ki|1Chr|2Chr|Ezra|Neh|Est|Acts)$/) return "history"
    if (book ~ /^(Job|Psa|Prv|Eccl|SSol)$/) return "poetry"
    if (book ~ /^(Isa|Jer|Lam|Eze|Dan|Hos|Joel|Amos|Obad|Jonah|Mic|Nahum|Hab|Zep|Hag|Zec|Mal|Rev)$/) return "prophets"
    return book ~ /^(Mat|Mark|Luke|John)$/ ? "gospels" : "letters"
}
{
    split($1, place, ":"); book = place[1]; sub(/[0-9]+$/, "", book)
    if (place[1] != chapter) { chapter = place[1]; chapters++ }
    sub(/^[^ ]+ /, ""); gsub(/["\\]/, "\\\\&")
    print "{\"text\": \"" $0 "\", \"label\": \"" part(book) "\"}" >(out (chapters % 10 == 5 ? "/test.jsonl" : "/train.jsonl"))
}'
cat >"$out/parts.yaml" <<Y
finetune: {from: "$run"}
data: {train: "$out/train.jsonl", val: "$out/test.jsonl"}
model: {dropout: 0.1}
batch: {sequences: 16, micro: 4}
optim: {lr: 1e-3, min_lr: 1e-5, warmup: 30, beta2: 0.99}
eval: {every_steps: 150, sequences: 0}
run: {dir: "$out/run", steps: 600}
Y
mpirun -n 2 "$gridgpt" finetune "$out/parts.yaml" "$@"
echo
mpirun -n 2 "$gridgpt" evaluate "$out/run" --task classify "$out/test.jsonl"
echo
python3 "$here/jobs/examples/naive_bayes.py" "$out/train.jsonl" "$out/test.jsonl"
echo "run folder       $out"
