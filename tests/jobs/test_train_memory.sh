# A model whose state does not fit into one rank's memory trains, and is resumed, on a grid; one whose activations do
# not fit trains where they are made again.
[ -z "${GG_SANITIZE:-}" ] || { echo "skipped: sanitizers want more address space than any limit leaves"; exit 77; }
source "$GG_SOURCE/tests/jobs/training.sh"

cat >limited <<'S'
#!/bin/bash
ulimit -v 1500000
exec "$@"
S
chmod +x limited
large="model.layers=6 model.heads=16 model.width=1024 batch.sequences=4 batch.micro=4 eval.sequences=4"
limited() { # RANKS NAME [key=value]...: as train, each rank with 1.5 GB of address space
    local ranks=$1 name=$2
    shift 2
    status=0
    mpirun -n "$ranks" ./limited "$GRIDGPT" train settings.yaml $large run.dir="$name" "$@" >"$name.log" 2>&1 || status=$?
}

limited 1 alone run.steps=1
expect 71 "no memory for weights, gradients and optimizer state: " alone
expect 71 "the limit of the address space (ulimit -v) is 1464.8" alone
limited 4 grid run.steps=1 parallel.grid=2x2
expect 0 "trained 1 steps" grid
limited 4 grid run.steps=2 parallel.grid=2x2
expect 0 "resuming from" grid
# What was announced is what was taken, and a quarter of the optimizer's state stands on each replica with ZeRO.
awk '/^peak memory of a rank/ { peak = $6; announced = $9 } END { exit !(peak > 0 && peak <= 1.1 * announced) }' grid.log ||
    fail "$(grep "^peak memory" grid.log)"
state() { sed -n 's/.*optimizer state \([0-9.]*\) MB.*/\1/p' "$1.log"; }
train 4 whole $large batch.micro=1 model.layers=2 run.steps=1
expect 0 "trained 1 steps" whole
train 4 zero $large batch.micro=1 model.layers=2 run.steps=1 parallel.zero=1
expect 0 "trained 1 steps" zero
echo "optimizer state: $(state whole) MB, with ZeRO $(state zero) MB"
awk -v whole="$(state whole)" -v zero="$(state zero)" 'BEGIN { exit !(zero > 0 && zero <= 0.26 * whole) }' ||
    fail "ZeRO does not quarter the state"
rm -rf alone grid whole zero

# Of 24 blocks: 1.6 GB of activations that are kept, 0.2 GB where blocks are made again.
large="model.layers=24 model.heads=2 model.width=128 model.context=64 batch.sequences=128 batch.micro=128 eval.sequences=4"
limited 1 kept run.steps=1
expect 71 "no memory for the activations; compute.recompute=block or a smaller batch.micro needs less: " kept
expect 71 "(ulimit -v)" kept
limited 1 again run.steps=1 compute.recompute=block
expect 0 "trained 1 steps" again
awk '/^peak memory of a rank/ { peak = $6; announced = $9 } END { exit !(peak > 0 && peak <= 1.1 * announced && peak >= 0.9 * announced) }' again.log ||
    fail "$(grep "^peak memory" again.log)"
activations() { sed -n 's/.*activations \([0-9.]*\) MB.*/\1/p' "$1.log"; }
echo "activations: $(activations kept) MB, made again $(activations again) MB; $(grep "^peak memory" again.log)"
awk -v kept="$(activations kept)" -v again="$(activations again)" 'BEGIN { exit !(again > 0 && again < kept / 4) }' ||
    fail "recompute does not spare three quarters of the activations"
rm -rf kept again
