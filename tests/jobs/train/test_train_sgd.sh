# SGD through a run: one state, in memory and in checkpoints; what is resumed ends with the bits of a run that was not
# stopped; and AdamW does not take it over, nor the other way round.
source "$GG_SOURCE/tests/jobs/training.sh"
"$GG_TEST_PYTHON" -c 'import h5py' 2>/dev/null || { echo "skipped: $GG_TEST_PYTHON has no h5py"; exit 77; }

groups() { "$GG_TEST_PYTHON" -c 'import h5py, sys; print(*h5py.File(sys.argv[1])["optimizer"])' "$1"; }

# layout NAME RANKS [key=value]...: 12 steps, and 6, stop, 6.
layout() {
    local name=$1 ranks=$2
    shift 2
    train "$ranks" "$name" optim.name=sgd optim.lr=0.05 run.steps=12 checkpoint.every_steps=6 checkpoint.keep=2 "$@"
    expect 0 "checkpoint: $name/checkpoints/step-00000012.h5" "$name"
    mkdir -p "$name.part/checkpoints"
    cp "$name/checkpoints/step-00000006.h5" "$name.part/checkpoints/"
    [ "$(groups "$name/checkpoints/step-00000006.h5")" = momentum_buffer ] || fail "$name: not SGD's one state"
    train "$ranks" "$name.part" optim.name=sgd optim.lr=0.05 run.steps=12 "$@"
    expect 0 "resuming from $name.part/checkpoints/step-00000006.h5: step 6 of 12" "$name.part"
    for part in "$name" "$name.part"; do checksums "$part/checkpoints/step-00000012.h5" >"$part.sums"; done
    [ "$(grep -c '^optimizer/momentum_buffer/' "$name.sums")" = "$(grep -c '^model/' "$name.sums")" ] || fail "$name: tensors"
    cmp "$name.sums" "$name.part.sums" || fail "$name: the resumed run ends with other bits"
    checksums "$name/checkpoints/step-00000006.h5" >early.sums
    [ "$(comm -12 <(sort early.sums) <(sort "$name.sums") | wc -l)" = 0 ] || fail "$name: a tensor did not change"
}
layout one 1
layout zero 2 parallel.zero=1
layout grid 2 parallel.grid=2x1

"$GRIDGPT" inspect --verify one/checkpoints/step-00000012.h5 >inspect.log || fail "inspect: $?"
grep -qF "optimizer    sgd (momentum_buffer): training can go on" inspect.log || fail "inspect: $(cat inspect.log)"

train 2 one run.steps=15
expect 64 "optim.name adamw (was sgd): one optimizer cannot take over" one
train 1 adamw run.steps=3
expect 0 "checkpoint: adamw/checkpoints/step-00000003.h5" adamw
[ "$(groups adamw/checkpoints/step-00000003.h5)" = "exp_avg exp_avg_sq" ] || fail "not AdamW's two states"
train 1 adamw run.steps=6 optim.name=sgd
expect 64 "optim.name sgd (was adamw): one optimizer cannot take over" adamw

# What is announced: one state, where AdamW has two, of what takes as much room as the weights; a copy of it all for the
# checkpoint.
announced() { sed -n "s/^memory per rank:.*$2 \([0-9.]*\) MB.*/\1/p" "$1.log"; }
for name in sgd adamw; do
    train 1 wide-$name optim.name=$name model.width=128 run.steps=1
    expect 0 "trained 1 steps" wide-$name
    weights=$(announced wide-$name weights) state=$(announced wide-$name "optimizer state") copy=$(announced wide-$name "checkpoint copy")
    echo "$name: weights $weights, optimizer state $state, checkpoint copy $copy MB"
    awk -v w="$weights" -v s="$state" -v c="$copy" -v states=$([ $name = sgd ] && echo 1 || echo 2) '
        function near(a, b) { return a > 0.9 * b && a < 1.1 * b }
        BEGIN { exit !(w > 1 && near(s, states * w) && near(c, (1 + states) * w)) }' || fail "memory of $name: $weights, $state, $copy"
done
