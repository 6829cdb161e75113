# A blend of corpora: what a run says of them, validation of each, going on with another blend, and what is refused.
source "$GG_SOURCE/tests/jobs/training.sh"

awk 'BEGIN { for (i = 1; i <= 3000; i++) print i % 7, "plus", i % 5, "is", i % 7 + i % 5 }' >sums.txt
"$GRIDGPT" prepare --tokenizer tokenizer.json --val 0.1 --out sums sums.txt >>prepare.log 2>&1
cat >blend.yaml <<'Y'
data:
  train:
    text: {paths: "data/train-*.h5", weight: 0.75}
    sums: {paths: [sums/train-00000.h5], weight: 0.25}
  val: {text: "data/val-*.h5", sums: "sums/val-*.h5"}
Y
grep -v '^data:' settings.yaml >>blend.yaml
mv blend.yaml settings.yaml

train 2 run run.steps=6 eval.every_steps=3
expect 0 "trained 6 steps" run
expect 0 "data: a blend of 2 corpora; 6 steps are 144 samples, of them" run
expect 0 "  sums: 25.00%, 36 samples, which are " run
expect 0 "  text: 75.00%, 108 samples, which are " run
grep -qE '^epochs: sums [0-9.]+, text [0-9.]+$' run.log || fail "no epochs at the end: $(cat run.log)"
grep -qE 'step 6: validation loss [0-9.]+ \(perplexity [0-9.]+\): sums [0-9.]+, text [0-9.]+$' run.log ||
    fail "no loss of each corpus: $(cat run.log)"
grep -qF 'data.train: {sums: {paths: ["sums/train-00000.h5"], weight: 0.25}, text: {paths: ["data/train-*.h5"], weight: 0.75}}' run.log ||
    fail "the settings are not said: $(cat run.log)"

# Each corpus' loss is what evaluate finds for it alone; val_loss is the mean over both's sequences; epochs are counted.
for corpus in data sums; do
    "$GRIDGPT" evaluate run --data "$corpus"/val-00000.h5 --sequences 7 --json >$corpus.json 2>evaluate.log ||
        fail "evaluate: $(cat evaluate.log)"
done
"$GG_TEST_PYTHON" - <<'P' || fail "the metrics: $(cat run/metrics.jsonl)"
import json, re
lines = [json.loads(line) for line in open("run/metrics.jsonl")]
last = lines[-1]
assert [l["step"] for l in lines if "val_loss" in l] == [0, 3, 6]
losses = {"text": json.load(open("data.json"))["loss"], "sums": json.load(open("sums.json"))["loss"]}
assert last["val_losses"].keys() == losses.keys(), last
for name, loss in losses.items():
    assert abs(last["val_losses"][name] - loss) < 1e-5 * loss, (name, loss, last)
assert abs(last["val_loss"] - sum(losses.values()) / 2) < 1e-5 * last["val_loss"], last
assert abs(losses["text"] - losses["sums"]) > 1e-3, losses
log = open("run.log").read()
for name, count in (("text", 18), ("sums", 6)):
    epochs = re.search(rf"{name}: [0-9.]+%, \d+ samples, which are ([0-9.]+) epochs", log).group(1)
    # As many samples of each step's 24, to one over the run.
    assert abs(last["epochs"][name] - float(epochs)) < 0.006, (last, epochs)
    rate = last["epochs"][name] / (6 * count)
    for line in lines:
        if line["step"] > 0:
            assert abs(line["epochs"][name] / rate - line["step"] * count) < 1.001, line
P

# Another blend is no reason not to go on, and is said.
train 1 run run.steps=8 data.train.sums.weight=0.5 data.val=data/val-00000.h5
expect 0 "resuming from run/checkpoints/step-00000006.h5" run
expect 0 'changed since that checkpoint: data.train {sums: {paths: ["sums/train-00000.h5"], weight: 0.5}' run
expect 0 "(was {sums: {paths: [\"sums/train-00000.h5\"], weight: 0.25}" run
expect 0 "the training shards other files (was those of the checkpoint)" run
! tail -1 run/metrics.jsonl | grep -q val_losses || fail "losses of corpora without names"

# Refused before anything is written.
"$GRIDGPT" tokenizer train --vocab 290 --out other.json sums.txt >>prepare.log 2>&1
"$GRIDGPT" prepare --tokenizer other.json --val 0.1 --out other sums.txt >>prepare.log 2>&1
train 2 no data.train.sums='other/train-*.h5'
expect 65 "the files of data.train.sums and data.train.text were made with different tokenizers" no
train 1 no data.val.sums='other/val-*.h5'
expect 65 "the shards of data.val.sums and data.train were made with different tokenizers" no
[ ! -e no ] || fail "a refused run wrote $(ls no)"
