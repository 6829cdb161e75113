# 40 steps, and 20 + resume + 20, end with the same bits on the same layout; what a resume refuses.
source "$GG_SOURCE/tests/jobs/training.sh"
"$GG_TEST_PYTHON" -c 'import h5py' 2>/dev/null || { echo "skipped: $GG_TEST_PYTHON has no h5py"; exit 77; }

for ranks in 1 2; do
    train $ranks whole run.steps=40 checkpoint.every_steps=20 checkpoint.keep=2
    expect 0 "checkpoint: whole/checkpoints/step-00000040.h5" whole
    mkdir -p part/checkpoints
    cp whole/checkpoints/step-00000020.h5 part/checkpoints/
    head -30 whole/metrics.jsonl >part/metrics.jsonl # ten lines of steps that will be done again
    train $ranks part run.steps=40 checkpoint.every_steps=20
    expect 0 "resuming from part/checkpoints/step-00000020.h5: step 20 of 40" part
    checksums whole/checkpoints/step-00000040.h5 >whole.sums
    checksums part/checkpoints/step-00000040.h5 >part.sums
    [ "$(wc -l <whole.sums)" -gt 80 ] || fail "too few tensors: $(wc -l <whole.sums)"
    cmp whole.sums part.sums || fail "$ranks ranks: the resumed run ends with other weights"
    for key in step loss lr grad_norm tokens val_loss; do
        cmp <(values whole $key) <(values part $key) || fail "$ranks ranks: other metrics: $key"
    done
    # Not the same by accident: earlier weights are others.
    checksums whole/checkpoints/step-00000020.h5 >early.sums
    cmp -s early.sums whole.sums && fail "step 20 has the weights of step 40"
    [ $ranks = 1 ] && rm -r whole part
done

# Only the newest are kept, and nothing is left over.
train 2 part run.steps=60 checkpoint.every_steps=5 checkpoint.keep=2
expect 0 "changed since that checkpoint: checkpoint.every_steps 5 (was 20)" part
[ "$(ls part/checkpoints | tr '\n' ' ')" = "step-00000055.h5 step-00000060.h5 " ] || fail "kept: $(ls part/checkpoints)"
train 2 part run.steps=60
expect 0 "nothing to do" part
train 3 part run.steps=63
expect 0 "resuming from part/checkpoints/step-00000060.h5" part

train 2 part run.steps=80 model.heads=4 model.layers=3
expect 64 "model.layers 3 (was 2), model.heads 4 (was 2)" part
train 2 part run.steps=80 model.mlp_width=96
expect 64 "model.mlp_width 96 (was 128)" part
train 2 part run.steps=63 model.mlp_width=128 # what the default is, written out
expect 0 "nothing to do" part
cp part/checkpoints/step-00000063.h5 damaged.h5
printf '\x55' | dd of=damaged.h5 bs=1 seek=$(($(stat -c %s damaged.h5) / 2)) conv=notrunc status=none
mkdir -p torn/checkpoints
cp damaged.h5 torn/checkpoints/step-00000063.h5
train 2 torn run.steps=80
expect 65 "torn/checkpoints/step-00000063.h5" torn
head -c 5000 damaged.h5 >torn/checkpoints/step-00000063.h5
train 2 torn run.steps=80
expect 65 "torn/checkpoints/step-00000063.h5" torn
