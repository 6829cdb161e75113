# A checkpoint that an earlier program wrote: settings that came later are lacking from its text, and mean what the
# program did before there were any. And one whose text and states tell of different optimizers.
source "$GG_SOURCE/tests/jobs/training.sh"
"$GG_TEST_PYTHON" -c 'import h5py' 2>/dev/null || { echo "skipped: $GG_TEST_PYTHON has no h5py"; exit 77; }

# Every setting of gridgpt 0.1, in its order.
old_names="
model.preset model.layers model.heads model.width model.context model.vocab model.dropout
data.train data.val data.tokenizer data.seed batch.sequences batch.micro
optim.lr optim.min_lr optim.warmup optim.schedule optim.decay optim.weight_decay optim.beta1 optim.beta2 optim.eps optim.clip
parallel.grid parallel.zero parallel.block parallel.progress
compute.precision compute.fallback compute.recompute compute.threads
checkpoint.every_steps checkpoint.every_minutes checkpoint.keep checkpoint.keep_every checkpoint.async
eval.every_steps eval.sequences
run.dir run.seed run.steps run.max_bad_steps run.restart run.max_minutes run.watchdog run.watchdog_minutes"

# settings_text FILE: as it stands in the checkpoint.
settings_text() { "$GG_TEST_PYTHON" -c 'import h5py, sys; print(h5py.File(sys.argv[1])["settings"][()].tobytes().decode(), end="")' "$1"; }

# old_text: of a settings text, the lines that gridgpt 0.1 wrote.
old_text() { awk -v names="$old_names" 'BEGIN { split(names, n, /[ \n]+/); for (i in n) old[n[i] ":"] } $1 in old'; }

train 2 whole run.steps=20 checkpoint.every_steps=10 checkpoint.keep=2
expect 0 "checkpoint: whole/checkpoints/step-00000020.h5" whole
new=whole/checkpoints/step-00000010.h5
old=part/checkpoints/step-00000010.h5
mkdir -p part/checkpoints
cp $new $old
settings_text $new | old_text >old.yaml
"$GG_SET_SETTINGS" $old <old.yaml
settings_text $old | cmp - old.yaml || fail "the old settings are not in the file"
[ "$(wc -l <old.yaml)" = "$(wc -w <<<"$old_names")" ] || fail "not every setting of gridgpt 0.1 is there: $(cat old.yaml)"
for name in optim.name model.mlp_width; do
    settings_text $new | grep -q "^$name: " || fail "$name is not in a new file"
    ! grep -q "^$name: " old.yaml || fail "$name is in the old file"
done

# What reads a checkpoint takes it for the same model.
# read_it FOLDER: what inspect, evaluate and generate say of step 10, but the size of the file and the speed.
read_it() (
    cd "$1"
    file=checkpoints/step-00000010.h5
    "$GRIDGPT" inspect --verify $file | grep -v "^  file " || fail "$1: inspect"
    "$GRIDGPT" evaluate $file --data ../data/val-*.h5 --json 2>../log | sed "s/, \"tokens_per_s.*//" || fail "$1: evaluate: $(cat ../log)"
    "$GRIDGPT" generate $file --prompt "the king" --tokens 20 --seed 3 2>../log || fail "$1: generate: $(cat ../log)"
)
read_it whole >whole.read
read_it part >part.read
grep -qF "optimizer    adamw" part.read || fail "inspect: $(cat part.read)"
cmp whole.read part.read || fail "read otherwise: $(diff whole.read part.read)"

# A preset that says more today than it did then fills in nothing: GPT-3 was dense.
sed 's/^model.preset: none$/model.preset: gpt3-small/' old.yaml >preset.yaml
! cmp -s old.yaml preset.yaml || fail "no preset in the old settings: $(grep preset old.yaml)"
"$GG_SET_SETTINGS" $old <preset.yaml
read_it part >preset.read
cmp <(grep -av "model.preset: gpt3-small" preset.read) whole.read || fail "a preset changed the model: $(diff whole.read preset.read)"

# A run goes on from it as if it had not been stopped.
head -15 whole/metrics.jsonl >part/metrics.jsonl # some lines of steps that will be done again
train 2 part run.steps=20 checkpoint.every_steps=10 checkpoint.keep=2
expect 0 "resuming from $old: step 10 of 20" part
grep -qxF "changed since that checkpoint: run.dir part (was whole)" part.log ||
    fail "what is lacking was taken for changed: $(grep changed part.log)"
for key in step loss lr grad_norm tokens val_loss; do
    [ "$(values part $key | wc -l)" -ge 1 ] || fail "no $key in the metrics"
    cmp <(values whole $key) <(values part $key) || fail "other metrics: $key"
done
for name in whole part; do checksums $name/checkpoints/step-00000020.h5 >$name.sums; done
cmp whole.sums part.sums || fail "the run from old settings ends with other weights"

# Its settings name AdamW, as every text without optim.name does, and its states are SGD's: no run goes on from that.
train 1 sgd optim.name=sgd run.steps=3
expect 0 "checkpoint: sgd/checkpoints/step-00000003.h5" sgd
settings_text sgd/checkpoints/step-00000003.h5 | old_text >sgd.yaml
"$GG_SET_SETTINGS" sgd/checkpoints/step-00000003.h5 <sgd.yaml
train 1 sgd run.steps=6
expect 65 "sgd/checkpoints/step-00000003.h5 does not hold the states of adamw, which its settings name" sgd
