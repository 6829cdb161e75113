#!/usr/bin/env bash
# gridgpt export --format gguf: models of each of llama.cpp's architectures in each type, with each kind of tokenizer,
# read back by check_gguf.py; what llama.cpp cannot compute is refused by name.
if ! "$GG_TEST_PYTHON" -c 'import gguf, h5py' 2>/dev/null; then
  echo "skipped: $GG_TEST_PYTHON has no gguf and h5py (set GG_TEST_PYTHON)"
  exit 77
fi
source "$GG_SOURCE/tests/jobs/training.sh"

# Large steps, so that biases and gains are no zeros and ones.
model() {
    local name=$1
    shift
    train 1 "$name" run.steps=2 optim.lr=0.1 optim.warmup=0 batch.sequences=2 eval.sequences=2 "$@"
    [ "$status" = 0 ] || { cat "$name.log" >&2; fail "$name: not trained"; }
}
llama=(model.norm=rmsnorm model.positions=rotary model.activation=swiglu model.biases=false)

# check NAME ARCHITECTURE PATTERN DTYPE TYPE
check() {
    "$GRIDGPT" export "$1" --out "$1-$4.gguf" --format gguf --dtype "$4"
    "$GG_TEST_PYTHON" "$GG_SOURCE/tests/jobs/use/check_gguf.py" "$1"/checkpoints/*.h5 "$1-$4.gguf" "$2" "$5" "$3"
}
# refuse NAME MESSAGE [OPTION...]
refuse() {
    local name=$1 message=$2 got=0
    shift 2
    "$GRIDGPT" export "$name" --out refused.gguf --format gguf "$@" 2>refused.log || got=$?
    [ "$got" = 64 ] || { cat refused.log >&2; fail "$name: exit status $got, not 64"; }
    grep -qF -- "$message" refused.log || { cat refused.log >&2; fail "$name: '$message' is not in the message"; }
    [ -z "$(find . -name 'refused.gguf*')" ] || fail "$name: something is left of a refused export"
}

for kind in qwen3 llama3; do
    "$GRIDGPT" prepare --tokenizer "$GG_SOURCE/tests/golden/tokenizer_$kind.json" --out "data-$kind" text.txt >>prepare.log 2>&1
done
data() { echo "data.train=data-$1/train-*.h5" data.val=; }

model gpt2 model.width=48 model.heads=3 model.mlp_width=96
model untied model.tied=false
# shellcheck disable=SC2046
model llama "${llama[@]}" model.heads=4 model.kv_heads=2 model.tied=false model.rope_theta=500 model.vocab=400 $(data llama3)
model biases "${llama[@]}" model.biases=true model.head_size=24
# shellcheck disable=SC2046
model qwen3 "${llama[@]}" model.qk_norm=true model.kv_heads=1 model.head_size=12 model.norm_eps=1e-6 $(data qwen3)
for pair in fp32:F32 f16:F16 bf16:BF16 q8_0:Q8_0; do
    check gpt2 gpt2 gpt-2 "${pair%:*}" "${pair#*:}"
    check llama llama llama-bpe "${pair%:*}" "${pair#*:}"
done
check untied gpt2 gpt-2 fp32 F32
check biases llama gpt-2 q8_0 Q8_0
check qwen3 qwen3 qwen2 fp32 F32
check qwen3 qwen3 qwen2 q8_0 Q8_0

model banded model.attention=banded model.window=8
refuse banded "banded/checkpoints/step-00000002.h5: cannot be exported: model.attention: llama.cpp's graph of gpt2 has dense only"
model wide model.attention=banded model.window=32
check wide gpt2 gpt-2 fp32 F32
model relu model.activation=relu
refuse relu "model.activation: llama.cpp's graph of gpt2 has gelu_tanh only"
model post "${llama[@]}" model.norm_place=post
refuse post "model.norm_place: llama.cpp's graph of llama has pre only"
model gpt1 model.norm_place=post
refuse gpt1 "model.norm_place: llama.cpp's graph of gpt2 has pre only"
model normed "${llama[@]}" model.qk_norm=true model.biases=true
refuse normed "model.biases: llama.cpp's graph of qwen3 has false only"

got=0
"$GRIDGPT" export gpt2 --out folder --dtype q8_0 2>refused.log || got=$?
[ "$got" = 64 ] || fail "--format hf --dtype q8_0: exit status $got"
grep -qF -- "--dtype q8_0: --format hf has fp32 and bf16" refused.log || fail "$(cat refused.log)"

# Nothing is left of an export that a damaged tensor ends.
"$GG_TEST_PYTHON" - gpt2/checkpoints/*.h5 large.h5 <<'P'
import shutil, sys
import h5py
shutil.copy(sys.argv[1], sys.argv[2])
with h5py.File(sys.argv[2], "r+") as file:
    tensor = file["model/transformer.h.1.mlp.c_fc.weight"]
    values = tensor[...]
    values[3, 4] = 70000
    tensor[...] = values
P
got=0
"$GRIDGPT" export large.h5 --out large.gguf --format gguf 2>refused.log || got=$?
[ "$got" = 65 ] || fail "a damaged tensor: exit status $got"
grep -qF "large.h5: damaged: tensor model/transformer.h.1.mlp.c_fc.weight does not fit its checksum" refused.log || fail "$(cat refused.log)"
[ -z "$(find . -name 'large.gguf*')" ] || fail "something is left of a failed export"
