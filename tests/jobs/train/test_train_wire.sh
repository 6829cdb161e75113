#!/usr/bin/env bash
# Gradients in bf16 between replicas: what rounding leaves is made up for, with and without ZeRO to the same bits.
source "$GG_SOURCE/tests/jobs/training.sh"
sed -i 's/run.steps: 20/run.steps: 60/' settings.yaml
printf '%s\n' 'eval.every_steps: 60' 'parallel.reduction: tree' >>settings.yaml

last() { ls "$1"/checkpoints/*.h5 | tail -1; }

train 4 exact
expect 0 "gradients: summed over 4 replicas in buckets of 8 MiB during the backward pass, tree: 2 messages for each" exact
train 4 rounded parallel.wire=bf16
expect 0 "tree: 2 messages in bf16 for each and as many back" rounded
awk -v exact="$(values exact val_loss | tail -1)" -v rounded="$(values rounded val_loss | tail -1)" 'BEGIN {
    off = rounded / exact - 1
    print "validation loss", exact, "in fp32 and", rounded, "in bf16 on the wire"
    exit !(exact > 0 && exact < 4 && off < 0.005 && off > -0.005 && off != 0)
}' || fail "the losses are not within 0.5%, or the same"
train 4 scattered parallel.wire=bf16 parallel.zero=1
[ "$(checksums "$(last rounded)")" = "$(checksums "$(last scattered)")" ] || fail "ZeRO comes to other bits"

# Errors are not in checkpoints, and a run of fp32 may go on in bf16; it is told what that means for its bits.
train 4 exact run.steps=62 parallel.wire=bf16
expect 0 "which 4 replicas with parallel.wire bf16 cannot play" exact
train 4 refused parallel.wire=bf16 parallel.reproducible=4
expect 64 "parallel.wire bf16 rounds what each replica sends" refused
[ ! -e refused ] || fail "a refused run left a folder"
