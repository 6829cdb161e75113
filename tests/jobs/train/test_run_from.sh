# A run that begins with the weights of a checkpoint (run.from): of one that was imported, on any layout, and of another
# run. It begins where the checkpoint stands, goes on like any run, and is exported again.
source "$GG_SOURCE/tests/jobs/training.sh"
golden="$GG_SOURCE/tests/golden/huggingface"

"$GRIDGPT" import "$golden/gpt2" --out gpt2.h5
"$GRIDGPT" prepare --tokenizer "$golden/gpt2" --val 0.1 --out theirs text.txt >prepare.log 2>&1
cp settings.yaml own.yaml
cat >settings.yaml <<'Y'
data: {train: "theirs/train-*.h5", val: "theirs/val-*.h5"}
batch: {sequences: 8, micro: 2}
optim: {lr: 1e-3, warmup: 2}
eval.sequences: 8
run.steps: 4
Y
first_val() { values "$1" val_loss | head -1; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a - b < 2e-4 && b - a < 2e-4 && a > 0) }'; }

train 1 one run.from=gpt2.h5
expect 0 "beginning with the weights of gpt2.h5" one
"$GRIDGPT" evaluate gpt2.h5 --data theirs/val-*.h5 --sequences 8 --json >evaluate.json
near "$(first_val one)" "$(sed 's/.*"loss": \([^,]*\),.*/\1/' evaluate.json)" ||
    fail "step 0: $(first_val one), evaluate: $(cat evaluate.json)"
grep -q '^model.activation: gelu_tanh' one/settings.yaml && grep -q '^model.vocab: 270' one/settings.yaml || fail "settings"

train 2 zero run.from=gpt2.h5 parallel.zero=1
expect 0 "beginning with the weights of gpt2.h5" zero
train 2 grid run.from=gpt2.h5 parallel.grid=1x2
expect 0 "beginning with the weights of gpt2.h5" grid
for name in zero grid; do
    near "$(first_val $name)" "$(first_val one)" || fail "$name: step 0: $(first_val $name), and $(first_val one) on one rank"
    near "$(values $name loss | tail -1)" "$(values one loss | tail -1)" || fail "$name: another loss than on one rank"
done

train 2 one run.from=gpt2.h5 run.steps=6
expect 0 "resuming from one/checkpoints/step-00000004.h5: step 4 of 6" one
"$GRIDGPT" inspect --verify one/checkpoints/step-00000006.h5 >inspect.log || fail "inspect: $?"
"$GRIDGPT" export one --out trained
"$GRIDGPT" import trained --out trained.h5
"$GRIDGPT" evaluate trained.h5 --data theirs/val-*.h5 --json >a.json
"$GRIDGPT" evaluate one --data theirs/val-*.h5 --json >b.json
[ "$(sed 's/.*"loss": \([^,]*\),.*/\1/' a.json)" = "$(sed 's/.*"loss": \([^,]*\),.*/\1/' b.json)" ] || fail "exported: $(cat a.json b.json)"

# Weights without a tokenizer take the data's.
mkdir bare && cp "$golden"/gpt2/{config.json,model.safetensors} bare
"$GRIDGPT" import bare --out bare.h5 2>bare.warning
train 1 bare.run run.from=bare.h5 run.steps=1
expect 0 "beginning with the weights of bare.h5" bare.run
[ "$(first_val bare.run)" = "$(first_val one)" ] || fail "bare: $(first_val bare.run)"

# refused STATUS TEXT [key=value]...: what the settings come to.
refused() {
    local wanted=$1 text=$2
    shift 2
    status=0
    "$GRIDGPT" settings settings.yaml "$@" >refused.log 2>&1 || status=$?
    expect "$wanted" "$text" refused
}
refused 64 "run.from: gpt2.h5 holds a model of another shape: model.layers 3 (there 2), model.norm rmsnorm (there layernorm)" \
    run.from=gpt2.h5 model.layers=3 model.norm=rmsnorm
refused 64 "run.from: gpt2.h5 holds a model of another shape: model.layers 12 (there 2)" run.from=gpt2.h5 model.preset=gpt2-124m
refused 64 "model.context 16 (there 32)" run.from=gpt2.h5 model.context=16
refused 74 "run.from: nothing.h5" run.from=nothing.h5
"$GRIDGPT" tokenizer train --vocab 260 --out another.json text.txt >prepare.log 2>&1
"$GRIDGPT" prepare --tokenizer another.json --out another text.txt >>prepare.log 2>&1
train 1 other run.from=gpt2.h5 data.train='another/train-*.h5' data.val= data.tokenizer=another.json
expect 65 "run.from: gpt2.h5 has another tokenizer than the shards of data.train" other

mkdir -p copied/checkpoints && cp gpt2.h5 copied/checkpoints/step-00000000.h5
train 1 copied run.from=gpt2.h5
expect 65 "holds weights alone, and a run cannot go on from them; to begin one with them, set run.from" copied

# Of another run; rotary positions end nowhere. A Llama goes out, comes in again and is trained on a grid.
cp own.yaml settings.yaml
train 1 rotary model.norm=rmsnorm model.positions=rotary model.activation=swiglu model.biases=false model.tied=false run.steps=2
train 1 short run.from=rotary model.context=16 run.steps=1
expect 0 "beginning with the weights of rotary/checkpoints/step-00000002.h5" short
grep -q '^model.positions: rotary' short/settings.yaml || fail "short: $(grep positions short/settings.yaml)"
"$GRIDGPT" export rotary --out llama
"$GRIDGPT" import llama --out llama.h5
train 2 again run.from=llama.h5 parallel.grid=2x1 run.steps=1
expect 0 "beginning with the weights of llama.h5" again
near "$(first_val again)" "$(values rotary val_loss | tail -1)" || fail "again: $(first_val again), and $(values rotary val_loss | tail -1) exported"
