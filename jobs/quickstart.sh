#!/bin/bash
# From nothing to a trained model: installs what is missing, builds, trains a small GPT on the King James Bible (or
# on the text files given) with 2 ranks, evaluates it on text it has not seen, and writes some of its own.
#
# usage: jobs/quickstart.sh [FILE...]
set -euo pipefail
started=$SECONDS
files=()
for file in "$@"; do
    case "$file" in
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    esac
    [ -r "$file" ] && [ -s "$file" ] || { echo "quickstart: $file: missing, unreadable or empty" >&2; exit 64; }
    files+=("$(realpath "$file")")
done
cd "$(dirname "$0")/.."
source cmake/install-packages.sh

say() { printf '\n== %s\n' "$*"; }

say "packages"
install_packages build run
installed=$SECONDS

say "build"
mkdir -p build
cmake --preset release >build/quickstart.log 2>&1 && cmake --build --preset release -j "$(nproc)" >>build/quickstart.log 2>&1 ||
    { tail -30 build/quickstart.log >&2; echo "quickstart: the build failed; all of it is in build/quickstart.log" >&2; exit 1; }
rm build/quickstart.log
gridgpt=$PWD/build/release/gridgpt
mpi_environment
export OMP_NUM_THREADS=1

run=runs/quickstart-$(date +%Y%m%d-%H%M%S)
mkdir -p "$run"

say "text"
separator=()
if [ ${#files[@]} = 0 ]; then
    # A document is a chapter; the verse numbers in front of the lines go.
    bible -f Gen1:1-Rev22:21 </dev/null |
        awk -v plain="$run/text.txt" '{ split($1, place, ":"); sub(/^[^ ]+ /, "")
            if (NR > 1 && place[1] != chapter) print "%%%%"
            chapter = place[1]; print; print > plain }' >"$run/documents.txt"
    files=("$run/documents.txt")
    separator=(--separator %%%%)
    name="King James Bible"
    prompt="And it came to pass"
else
    cat "${files[@]}" >"$run/text.txt"
    name=$(basename "${files[0]}")
    [ ${#files[@]} = 1 ] || name="$name and $((${#files[@]} - 1)) more"
    prompt="The"
fi
bytes=$(stat -c %s "$run/text.txt")
xz_bits=$(xz -9e -c "$run/text.txt" | wc -c | awk -v bytes="$bytes" '{ printf "%.3f", 8 * $1 / bytes }')
rm "$run/text.txt"
echo "$name: $bytes bytes"

say "tokenizer and shards"
"$gridgpt" tokenizer train --vocab 2048 --out "$run/tokenizer.json" "${files[@]}"
mpirun -n 2 "$gridgpt" prepare --tokenizer "$run/tokenizer.json" --val 0.05 "${separator[@]}" --out "$run/data" "${files[@]}" |
    tee "$run/prepare.txt"

# A step takes 2048 tokens. Four times through the text is enough, more is learning a short one by heart.
steps=$(awk '/^training/ { steps = int(4 * $4 / 2048) } END { print (steps < 80 ? 80 : steps > 1200 ? 1200 : steps) }' "$run/prepare.txt")
say "training"
cat >"$run/quickstart.yaml" <<Y
model: {layers: 4, heads: 4, width: 192, context: 256}
data: {train: "$run/data/train-*.h5", val: "$run/data/val-*.h5"}
batch: {sequences: 8, micro: 4}
optim: {lr: 4e-3, min_lr: 1e-4, warmup: 40, beta2: 0.99}
eval: {every_steps: $((steps / 8)), sequences: 0}
checkpoint: {every_steps: $((steps / 4)), keep: 2}
run: {dir: "$run", steps: $steps}
Y
status=0
mpirun -n 2 "$gridgpt" train "$run/quickstart.yaml" || status=$?
if [ $status = 75 ]; then
    echo "stopped; to go on: mpirun -n 2 $gridgpt train $run/quickstart.yaml" >&2
fi
[ $status = 0 ] || exit $status
checkpoint=$(ls "$run"/checkpoints/step-*.h5 | tail -1)

say "evaluation on held-out text"
mpirun -n 2 "$gridgpt" evaluate "$checkpoint" --data "$run"/data/val-*.h5 | tee "$run/evaluation.txt"
bits=$(awk '/bits per byte/ { print $4 }' "$run/evaluation.txt")

say "a sample"
"$gridgpt" generate "$checkpoint" --prompt "$prompt" --tokens 120 --temperature 0.8 --top-p 0.95 --seed 1 | tee "$run/sample.txt"

number='\([-+0-9.eE]*\)'
sed -n "s/^{\"step\":$number,\"loss\":$number,.*/\1 \2/p" "$run/metrics.jsonl" >"$run/train-loss.txt"
sed -n "s/^{\"step\":$number,.*\"val_loss\":$number.*/\1 \2/p" "$run/metrics.jsonl" >"$run/val-loss.txt"
gnuplot -e "train='$run/train-loss.txt'; val='$run/val-loss.txt'; out='$run/loss.svg'; name='Loss on ${name//\'/}'" jobs/loss_curve.gp
speed=$(sed -n "s/.*\"tokens_per_s\":$number,\"mfu\":$number.*/\1 \2/p" "$run/metrics.jsonl" |
    awk '{ time += 1 / $1; mfu += $2 / $1 } END { printf "%.0f tokens/s, MFU %.1f%%", NR / time, 100 * mfu / time }')

say "summary"
cat <<S
held-out text   $bits bits per byte (xz -9e needs $xz_bits for the whole text)
training        $speed
time            $((SECONDS - installed)) s, and $((installed - started)) s for packages
run folder      $run
loss curve      $run/loss.svg
S
