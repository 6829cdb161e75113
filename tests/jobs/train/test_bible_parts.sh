# The example of fine-tuning, on a model of seconds: what it has learned is more than the commonest class.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
rm -rf ./*
bible -f Gen1:1-Exo40:38 </dev/null | sed 's/^[^ ]* //' >text.txt
"$GRIDGPT" tokenizer train --vocab 400 --out tokenizer.json text.txt >prepare.log 2>&1
"$GRIDGPT" prepare --tokenizer tokenizer.json --out data text.txt >>prepare.log 2>&1
cat >base.yaml <<'Y'
model: {layers: 2, heads: 2, width: 64, context: 128}
data.train: data/train-*.h5
batch: {sequences: 8, micro: 4}
optim: {lr: 4e-3, warmup: 10}
run: {dir: base, steps: 60}
Y
mpirun -n 2 "$GRIDGPT" train base.yaml >train.log 2>&1
bash "$GG_SOURCE/jobs/examples/bible-parts.sh" base run.steps=120 optim.lr=4e-3 eval.every_steps=0 >parts.log 2>&1 || fail "$(tail -20 parts.log)"
grep -q 'samples: 27872 of the form label' parts.log || fail "samples: $(grep samples: parts.log)"
accuracy=$(sed -n 's/^  acc  *//p' parts.log) commonest=$(sed -n 's/^commonest class  accuracy \([0-9.]*\).*/\1/p' parts.log)
bayes=$(sed -n 's/^naive Bayes      accuracy \([0-9.]*\).*/\1/p' parts.log)
[ "$commonest $bayes" = "0.2650 0.6957" ] || fail "beside it: $commonest, $bayes"
awk -v a="$accuracy" 'BEGIN { exit !(a > 0.35) }' || fail "accuracy $accuracy, and always saying the commonest class $commonest"
