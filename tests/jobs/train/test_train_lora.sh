# Adapters of low rank beside a frozen checkpoint (finetune.lora.*): the same run on every layout, in fp32 and bf16,
# stopped and gone on with; checkpoints that hold them alone and name their base by its checksum; and what other
# commands make of those.
source "$GG_SOURCE/tests/jobs/training.sh"

# alone NAME [key=value]...: as train 1 NAME, but started without mpirun, which is quicker.
alone() {
    local name=$1
    shift
    status=0
    "$GRIDGPT" train settings.yaml run.dir="$name" "$@" >"$name.log" 2>&1 || status=$?
}

alone base model.width=48 model.heads=4 batch.micro=12 run.steps=3
expect 0 "trained 3 steps" base
sed -i /^model/d settings.yaml
lora="batch.micro=12 finetune.lora.rank=3 finetune.lora.dropout=0.1 optim.lr=5e-2 optim.schedule=constant run.steps=6"
targets="finetune.lora.targets=[c_attn,mlp.c_proj]"

# compare RUN OTHER BOUND [KEY]: their losses and gradient norms, to that relative difference; 0: to the last digit.
compare() {
    for key in ${4:-loss grad_norm}; do
        paste <(values "$2" $key) <(values "$1" $key) | awk -v what="$1 $key" -v bound="$3" '
            NF < 2 { exit bad = 1 }
            { d = $1 - $2; if (d < 0) d = -d; if (d / $1 > worst) worst = d / $1 }
            END { printf "%s: largest relative difference %.2g of %d\n", what, worst, NR; exit bad || NR == 0 || worst > bound }' ||
            fail "$1: $key differs from that of $2 by more than $3"
    done
}

alone one run.from=base $lora $targets
expect 0 "adapters: rank 3 on [\"c_attn\", \"mlp.c_proj\"], scaled by 2:" one
expect 0 "frozen: the weights of $PWD/base/checkpoints/step-00000003.h5" one
first() { values "$1" val_loss | head -1; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a - b < 1e-5 && b - a < 1e-5 && a > 0) }'; }
last() { values "$1" val_loss | tail -1; }
near "$(first one)" "$(last base)" || fail "adapters do not begin as the base: $(first one), $(last base)"
awk -v a="$(first one)" -v b="$(last one)" 'BEGIN { exit !(b < a - 0.01) }' || fail "adapters do not learn: $(first one), $(last one)"
for layout in "2 2x1 0" "2 1x2 0"; do
    set -- $layout
    train $1 on$1-$2 run.from=base $lora $targets parallel.grid=$2 parallel.zero=$3
    expect 0 "trained 6 steps" on$1-$2
    compare on$1-$2 one 1e-5
done
if ! grep -q "AMX\|avx512_bf16\|amx_bf16" /proc/cpuinfo; then
    echo "no bf16 here"
else
    train 2 bf16 run.from=base $lora $targets compute.precision=bf16 compute.recompute=block parallel.zero=1
    expect 0 "trained 6 steps" bf16
    compare bf16 one 0.01 loss # a norm of small gradients shows the rounding more
fi

# In two pieces, the second on another layout, the base having moved meanwhile.
alone pieces run.from=base $lora $targets run.steps=3
cp base/checkpoints/step-00000003.h5 moved.h5
train 2 pieces run.from=moved.h5 $lora $targets parallel.zero=1
expect 0 "resuming from pieces/checkpoints/step-00000003.h5: step 3 of 6" pieces
expect 0 "frozen: the weights of $PWD/moved.h5" pieces
compare pieces one 0
[ "$(stat -c %s one/checkpoints/step-00000006.h5)" -lt $(($(stat -c %s moved.h5) / 3)) ] || fail "not a small checkpoint"

# Without run.from the base is looked for where it was.
sed '/^run.from/d' one/settings.yaml >kept.yaml
cp -r one kept
"$GRIDGPT" train kept.yaml run.dir=kept run.steps=7 >kept.log 2>&1 || { cat kept.log >&2; fail "kept: status $?"; }
grep -qF "frozen: the weights of $PWD/base/checkpoints/step-00000003.h5" kept.log || { cat kept.log >&2; fail "another base"; }

# What a resumed run may not change, and what cannot be.
alone pieces run.from=moved.h5 $lora $targets finetune.lora.rank=4 run.steps=7
expect 64 "holds a model of another shape: finetune.lora.rank 4 (was 3), finetune.lora.alpha 8 (was 6)" pieces
alone nothing $lora
expect 64 "finetune.lora.rank 3: adapters stand beside the weights of a checkpoint; name it in run.from" nothing
# refused STATUS TEXT [key=value]...: what the settings come to.
refused() {
    local wanted=$1 text=$2
    shift 2
    status=0
    "$GRIDGPT" settings settings.yaml "$@" >refused.log 2>&1 || status=$?
    expect "$wanted" "$text" refused
}
refused 65 "run.from: one/checkpoints/step-00000006.h5: holds adapters alone, of $PWD/base/checkpoints/step-00000003.h5" run.from=one
refused 64 "the model has no map 'q_proj'; its blocks have attn.c_attn, attn.c_proj, mlp.c_fc, mlp.c_proj" \
    run.from=base $lora finetune.lora.targets=q_proj

# Merged when it is loaded, on any grid, and when it is exported.
loss() { "$GRIDGPT" evaluate "$1" --data data/val-*.h5 --sequences 7 --json 2>loss.log | sed 's/.*"loss": \([^,]*\),.*/\1/'; }
near "$(loss one)" "$(last one)" || fail "evaluate: $(loss one), and $(last one) in training"
grep -qF "one/checkpoints/step-00000006.h5: adapters of rank 3, added to the weights of $PWD/base" loss.log || fail "$(cat loss.log)"
mpirun -n 2 "$GRIDGPT" evaluate one --data data/val-*.h5 --sequences 7 --micro 2 --grid 1x2 --json 2>/dev/null >grid.json
near "$(sed 's/.*"loss": \([^,]*\),.*/\1/' grid.json)" "$(last one)" || fail "evaluate on a grid: $(cat grid.json)"
"$GRIDGPT" export one --format checkpoint --out merged.h5 2>export.log
"$GRIDGPT" inspect --verify merged.h5 >inspect.log || fail "inspect: $?"
weights() { "$GRIDGPT" inspect "$1" | sed -n 's/^  weights  *\([0-9a-f]*\)$/\1/p'; }
train 2 pieces run.from=merged.h5 $lora $targets run.steps=7
expect 65 "its adapters stand beside weights of checksum $(weights moved.h5), and those of $PWD/merged.h5 have $(weights merged.h5)" pieces
mv base base.moved
status=0
"$GRIDGPT" export one --out folder >export.log 2>&1 || status=$?
expect 74 "one/checkpoints/step-00000006.h5 holds adapters alone, and the weights that they stand beside (--base)" export
"$GRIDGPT" export one --base moved.h5 --out folder
"$GRIDGPT" import folder --out folder.h5
[ "$(weights folder.h5)" = "$(weights merged.h5)" ] || fail "exported: $(weights folder.h5), merged: $(weights merged.h5)"
"$GRIDGPT" generate merged.h5 --prompt "the king" --seed 3 --tokens 20 >text1.txt 2>/dev/null
mv base.moved base
"$GRIDGPT" generate one --prompt "the king" --seed 3 --tokens 20 >text2.txt 2>/dev/null
cmp text1.txt text2.txt || fail "other text from adapters than from merged weights"

# PEFT's layout, which tests/interop/test_peft.py has PEFT load.
"$GRIDGPT" export one --format peft --out adapter
status=0
"$GRIDGPT" export merged.h5 --format peft --out none >export.log 2>&1 || status=$?
expect 64 "--format peft: merged.h5 holds whole weights and no adapters" export
"$GG_TEST_PYTHON" - <<'P' || fail "PEFT's layout"
import json, struct
import h5py, numpy
config = json.load(open("adapter/adapter_config.json"))
wanted = dict(peft_type="LORA", task_type="CAUSAL_LM", r=3, lora_alpha=6, lora_dropout=0.1, bias="none",
              target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True)
assert {key: config[key] for key in wanted} == wanted, config
data = open("adapter/adapter_model.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
header.pop("__metadata__")
with h5py.File("one/checkpoints/step-00000006.h5") as file:
    ours = {"base_model.model." + name: item[()] for name, item in file["model"].items()}
assert set(header) == set(ours) and len(ours) == 2 * 2 * 2, sorted(header)
for name, item in header.items():
    begin, end = item["data_offsets"]
    values = numpy.frombuffer(data[8 + size + begin:8 + size + end], "<f4").reshape(item["shape"])
    assert (values == ours[name].T).all(), name
P

# Beside adapters a head of classes is trained whole, from where another run left it.
awk 'NR <= 60 { print "{\"text\": \"" substr($0, 1, 30) "\", \"label\": \"" (NR % 3 ? "a" : "b") "\"}" }' text.txt >classes.jsonl
# classes NAME [key=value]...: fine-tuning on these.
classes() {
    local name=$1
    shift
    status=0
    "$GRIDGPT" finetune data.train=classes.jsonl data.val=classes.jsonl batch.sequences=4 batch.micro=4 optim.lr=2e-2 optim.warmup=1 \
        run.steps=3 run.dir="$name" "$@" >"$name.log" 2>&1 || status=$?
    expect 0 "trained 3 steps" "$name"
}
classes head finetune.from=base finetune.lora.rank=2
"$GRIDGPT" export head --format checkpoint --out head.h5 2>export.log
classes again finetune.from=head.h5 finetune.lora.rank=2
near "$(first again)" "$(last head)" || fail "a head and adapters, merged: $(first again), and $(last head) before"
"$GRIDGPT" export again --format checkpoint --out again.h5 2>export.log
"$GG_TEST_PYTHON" - <<'P' || fail "the head that was trained again"
import h5py
name = "model/score.weight"
with h5py.File("head.h5") as base, h5py.File("again/checkpoints/step-00000003.h5") as trained, h5py.File("again.h5") as merged:
    assert (merged[name][()] == trained[name][()]).all() and (merged[name][()] != base[name][()]).any()
P
