#!/usr/bin/env bash
# The same bits on any number of replicas that divides parallel.reproducible: weights, moments, losses and norms, in fp32
# and bf16, with and without ZeRO, by either way of summing, with dropout, and where a run moves by its checkpoints.
source "$GG_SOURCE/tests/jobs/training.sh"
sed -i 's/sequences: 24/sequences: 16/' settings.yaml
printf '%s\n' 'eval.every_steps: 10' 'optim.schedule: constant' >>settings.yaml

last() { ls "$1"/checkpoints/*.h5 | tail -1; }

# What a run came to: every tensor, and every loss and norm of its metrics.
outcome() {
    checksums "$(last "$1")"
    for key in loss grad_norm val_loss; do values "$1" "$key"; done
}

# same NAME REFERENCE: they came to the same.
same() { [ "$(outcome "$1")" = "$(cat "$2.outcome")" ] || fail "$1 is not what $2 is"; }

for precision in fp32 bf16; do
    set_all=(run.steps=40 compute.precision=$precision)
    train 1 one-$precision "${set_all[@]}" parallel.reproducible=8
    expect 0 "reproducible: the same bits on any number of replicas that divides 8" one-$precision
    expect 0 "each of these plays 8" one-$precision
    outcome one-$precision >one-$precision.outcome
    [ "$(wc -l <one-$precision.outcome)" -gt 130 ] || fail "an outcome is more than $(wc -l <one-$precision.outcome) lines"
    train 2 two-$precision "${set_all[@]}" parallel.reproducible=8 parallel.zero=1
    same two-$precision one-$precision
    train 4 four-$precision "${set_all[@]}" parallel.reproducible=8 parallel.reduction=tree
    same four-$precision one-$precision
    train 8 eight-$precision "${set_all[@]}" parallel.zero=1 parallel.reduction=pairwise
    same eight-$precision one-$precision

    # Moved three times; that it is one of eight is what its first start on eight says.
    step=0
    for layout in "8 0" "4 1" "1 1" "2 0"; do
        read -r ranks zero <<<"$layout"
        step=$((step + 10))
        train "$ranks" moved-$precision run.steps=$step compute.precision=$precision parallel.zero="$zero"
        [ "$status" = 0 ] || { cat moved-$precision.log >&2; fail "the moved run on $ranks ranks ended with $status"; }
    done
    same moved-$precision one-$precision
done
"$GRIDGPT" inspect "$(last moved-fp32)" | grep -q "reproducible on any number of replicas that divides 8" || fail "inspect"
cmp -s one-fp32.outcome one-bf16.outcome && fail "fp32 and bf16 come to the same"

# A number that changes what is added to what is another result.
train 1 other run.steps=40 parallel.reproducible=4
outcome other >other.outcome
cmp -s one-fp32.outcome other.outcome && fail "four virtual replicas come to what eight do"

# Replicas that are grids.
for grid in 2x1 1x3; do
    grid_set=(parallel.grid=$grid model.width=48 batch.micro=3 batch.sequences=12 parallel.reproducible=2 run.steps=15)
    ranks=$((${grid%x*} * ${grid#*x}))
    train "$ranks" one-$grid "${grid_set[@]}"
    expect 0 "each of these plays 2" one-$grid
    outcome one-$grid >one-$grid.outcome
    train $((2 * ranks)) two-$grid "${grid_set[@]}" parallel.zero=1
    same two-$grid one-$grid
done

# A run that began on two replicas and goes on on four is told; so is a number that does not work.
train 2 grown run.steps=3
train 4 grown run.steps=5
expect 0 "warning: so far this run was that of 2 virtual replicas, which 4 replicas cannot play" grown
train 4 refused parallel.reproducible=2
expect 64 "parallel.reproducible 2: 4 replicas do not divide it" refused
[ ! -e refused ] || fail "a refused run left a folder"
