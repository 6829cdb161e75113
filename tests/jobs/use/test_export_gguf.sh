#!/usr/bin/env bash
# gridgpt export --format gguf: models of each of llama.cpp's architectures in each type, with each kind of tokenizer,
# read back by check_gguf.py; what llama.cpp cannot compute is refused by name.
set -euo pipefail
if ! "$GG_TEST_PYTHON" -c 'import gguf, h5py' 2>/dev/null; then
  echo "skipped: $GG_TEST_PYTHON has no gguf and h5py (set GG_TEST_PYTHON)"
  exit 77
fi
rm -rf ./*
fail() { echo "FAILED: $*" >&2; exit 1; }
here="$GG_SOURCE/tests/jobs/use"
"$GG_TEST_PYTHON" "$here/random_folder.py"
for folder in *.hf; do
    "$GRIDGPT" import "$folder" --out "${folder%.hf}.h5" 2>>import.log || { cat import.log >&2; fail "$folder: not imported"; }
done

# export_as NAME ARCHITECTURE PATTERN DTYPE TYPE
export_as() {
    "$GRIDGPT" export "$1.h5" --out "$1-$4.gguf" --format gguf --dtype "$4"
    echo "$1.h5 $1-$4.gguf $2 $5 $3" >>list
}
for pair in fp32:F32 f16:F16 bf16:BF16 q8_0:Q8_0; do
    export_as gpt2-odd gpt2 gpt-2 "${pair%:*}" "${pair#*:}"
    export_as llama llama llama-bpe "${pair%:*}" "${pair#*:}"
done
export_as gpt2-untied gpt2 gpt-2 fp32 F32
export_as gpt2-bare gpt2 none fp32 F32
export_as llama-biases llama llama-bpe fp32 F32
export_as llama-head-dim llama gpt-2 q8_0 Q8_0
export_as llama-theta llama qwen2 fp32 F32
export_as qwen3 qwen3 qwen2 q8_0 Q8_0
export_as qwen3-tied qwen3 qwen2 fp32 F32
export_as all-keys llama none fp32 F32
"$GG_TEST_PYTHON" "$here/check_gguf.py" <list

# refuse STATUS CHECKPOINT MESSAGE [OPTION...]
refuse() {
    local wanted=$1 name=$2 message=$3 got=0
    shift 3
    "$GRIDGPT" export "$name" --out refused.gguf "$@" 2>refused.log || got=$?
    [ "$got" = "$wanted" ] || { cat refused.log >&2; fail "$name: exit status $got, not $wanted"; }
    grep -qF -- "$message" refused.log || { cat refused.log >&2; fail "$name: '$message' is not in the message"; }
    [ -z "$(find . -name 'refused.gguf*')" ] || fail "$name: something is left of a refused export"
}
refuse 64 banded.h5 "banded.h5: cannot be exported: model.attention: llama.cpp's graph of llama has dense only" --format gguf
refuse 64 relu.h5 "relu.h5: cannot be exported: model.activation: llama.cpp's graph of gpt2 has gelu_tanh only" --format gguf
refuse 64 llama.h5 "--dtype q8_0: --format hf has fp32 and bf16" --dtype q8_0
refuse 74 missing.h5 "missing.h5" --format gguf

# A tensor with one byte turned over ends the export.
"$GG_TEST_PYTHON" - llama.h5 <<'P'
import sys
import h5py
with h5py.File(sys.argv[1], "r+") as file:
    tensor = file["model/model.layers.2.mlp.up_proj.weight"]
    values = tensor[...]
    values.view("u1")[3, 5] ^= 1
    tensor[...] = values
P
refuse 65 llama.h5 "llama.h5: damaged: tensor model/model.layers.2.mlp.up_proj.weight does not fit its checksum" --format gguf
# A file that cannot grow any further, as on a full disk.
(
    ulimit -f 40
    trap '' XFSZ
    refuse 74 qwen3.h5 "refused.gguf.tmp: cannot be written: " --format gguf
)
