# A run that diverges: steps that are not finite are skipped and reported, and end it after run.max_bad_steps.
source "$GG_SOURCE/tests/jobs/training.sh"

# Decay that multiplies the weights by -99 in every step: they overflow within some twenty steps.
for ranks in 1 2; do
    train $ranks diverged optim.lr=10 optim.min_lr=10 optim.warmup=0 optim.weight_decay=10 optim.schedule=constant \
        run.steps=200 run.max_bad_steps=4 checkpoint.every_steps=1 checkpoint.keep=1000
    expect 1 "was not finite in the last 4 steps" diverged
    [ "$(grep -c '^step .* skipped' diverged.log)" -ge 4 ] || fail "skipped steps are not reported"
    [ "$(grep -c '"skipped":true' diverged/metrics.jsonl)" -ge 4 ] || fail "skipped steps are not in the metrics"
    skipped=$(sed -n 's/^step \([0-9]*\) skipped.*/\1/p' diverged.log | tail -4 | head -1)
    last=$(ls diverged/checkpoints | tail -1)
    # The last checkpoint is of before the end; the run goes on from it and ends as before.
    grep -q "The newest checkpoint is of step" diverged.log || fail "the newest checkpoint is not named"
    echo "first of the last four skipped steps: $skipped; newest checkpoint: $last"
    rm -r diverged
done
