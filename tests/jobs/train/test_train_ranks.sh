# The same settings give the same losses on 1, 2, 3 and 4 ranks, dropout on.
source "$GG_SOURCE/tests/jobs/training.sh"

for ranks in 1 2 3 4; do
    train $ranks "on$ranks" eval.every_steps=10
    expect 0 "step 20: validation loss" "on$ranks"
    [ "$(values "on$ranks" loss | wc -l)" = 20 ] || fail "$ranks ranks: not 20 losses"
    [ "$(values "on$ranks" val_loss | wc -l)" = 3 ] || fail "$ranks ranks: not 3 validation losses"
done
# The first loss is that of a model that knows nothing, the last one is not.
values on1 loss | awk 'NR == 1 { if ($1 < 5.6 || $1 > 5.8) exit 1 } { last = $1 } END { if (last > 5.2) exit 1 }' ||
    fail "the losses on 1 rank are not those of a model that learns: $(values on1 loss | tr '\n' ' ')"
for ranks in 2 3 4; do
    for key in loss val_loss grad_norm; do
        paste <(values on1 $key) <(values "on$ranks" $key) | awk -v what="$key on $ranks ranks" '
            { d = $1 - $2; if (d < 0) d = -d; if (d / $1 > worst) { worst = d / $1; at = NR } }
            END { printf "%s: largest relative difference %.2g (line %d)\n", what, worst, at; exit worst > 1e-5 }' ||
            fail "$key differs from that of 1 rank by more than 1e-5"
    done
done

# A gradient clipped to nothing changes nothing: with a large optim.eps AdamW then stands still.
train 1 clipped optim.clip=1e-9 optim.eps=1e-3 optim.weight_decay=0
expect 0 "step 20: validation loss" clipped
values clipped val_loss | awk 'NR == 1 { first = $1 } { d = $1 - first; if (d < 0) d = -d; if (d > 1e-4) moved = 1 } END { exit moved || NR != 2 }' ||
    fail "optim.clip is not applied: $(values clipped val_loss | tr '\n' ' ')"

# Whoever drives the sum of the gradients on: the same bits, and the start message says who.
for driver in calls thread; do
    train 3 $driver run.steps=8 parallel.progress=$driver
    expect 0 "trained 8 steps" $driver
    checksums $driver/checkpoints/step-00000008.h5 >$driver.sums
done
grep -q "driven on by calls between kernels" calls.log && grep -q "driven on by a thread" thread.log || fail "no start message"
[ "$(wc -l <calls.sums)" -gt 60 ] || fail "checksums: $(cat calls.sums)"
cmp calls.sums thread.sums || fail "other bits with a thread"
train 3 zero run.steps=8 parallel.zero=1
expect 0 "trained 8 steps" zero
checksums zero/checkpoints/step-00000008.h5 >zero.sums
cmp calls.sums zero.sums || fail "other bits with ZeRO"
