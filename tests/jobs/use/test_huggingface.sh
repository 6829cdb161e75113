#!/bin/bash
# import and export against what transformers made of the same models (tests/golden/huggingface/): logits to 1e-4, greedy
# text, and import(export(x)) the same file as x.
set -euo pipefail
rm -rf ./*
golden="$GG_SOURCE/tests/golden/huggingface"
fail() { echo "FAILED: $*" >&2; exit 1; }

# names_of FOLDER: name, type and shape of each tensor of its safetensors files.
names_of() {
    "$GG_TEST_PYTHON" - "$1" <<'P'
import glob, json, struct, sys
for path in sorted(glob.glob(sys.argv[1] + "/*.safetensors")):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    for name in sorted(header):
        if name != "__metadata__":
            print(name, header[name]["dtype"], header[name]["shape"])
P
}

for name in gpt2 gpt1 llama mistral qwen3; do
    "$GRIDGPT" import "$golden/$name" --out "$name.h5" 2>"$name.log" || fail "$name: $(cat "$name.log")"
    "$GRIDGPT" inspect "$name.h5" --verify >inspect.log || fail "$name: not verified"
    "$GG_LOGITS" "$name.h5" "$golden/$name.ids" "$golden/$name.logits" 1e-4 || fail "$name: other logits"
    prompt="$(cut -d' ' -f1-6 "$golden/$name.greedy")"
    "$GRIDGPT" generate "$name.h5" --ids --prompt "$prompt" --temperature 0 --tokens 12 --precision fp32 >greedy
    diff greedy "$golden/$name.greedy" || fail "$name: another greedy text"
    "$GRIDGPT" export "$name.h5" --out "$name"
    [ ! -e "$name.tmp" ] || fail "$name.tmp is left"
    "$GRIDGPT" import "$name" --out again.h5 2>again.log
    cmp "$name.h5" again.h5 || fail "$name: import(export(x)) is not x"
    "$GRIDGPT" export "$name.h5" --out "$name-bf16" --dtype bf16
    "$GRIDGPT" import "$name-bf16" --out rounded.h5 2>again.log
    "$GG_LOGITS" rounded.h5 "$golden/$name.ids" "$golden/$name.logits" 0.3 || fail "$name: bf16 logits are far off"
    names_of "$name" | sed 's/ F32 / BF16 /' >names
    names_of "$name-bf16" | diff - names || fail "$name: bf16 has other tensors"
done
# What was bf16 already comes out as it was.
"$GRIDGPT" import mistral-bf16 --out rounded.h5 2>again.log
cmp rounded.h5 mistral.h5 || fail "bf16 was rounded again"
# The same tensors under the same names.
for name in gpt2 qwen3; do
    names_of "$golden/$name" >theirs
    names_of "$name" | sort | diff - theirs || fail "$name: other tensors than transformers has"
done

# Shards, by either; other numbers of ranks.
"$GRIDGPT" export llama.h5 --out shards --shard-bytes 10k
[ -e shards/model.safetensors.index.json ] && [ ! -e shards/model.safetensors ] || fail "no shards"
[ "$(find shards -name 'model-*-of-*.safetensors' -size +12k)" = "" ] || fail "shards larger than they may be"
mpirun -n 2 "$GRIDGPT" import shards --out again.h5 2>again.log
cmp llama.h5 again.h5 || fail "shards make another checkpoint"

# A shorter context is the same model.
"$GRIDGPT" import "$golden/llama" --out short.h5 --context 20 2>again.log
"$GG_LOGITS" short.h5 "$golden/llama.ids" "$golden/llama.logits" 1e-4 || fail "shorter: other logits"
"$GRIDGPT" inspect short.h5 | grep -q 'context 20' || fail "not shorter"

# A tokenizer goes along, or the model works on ids.
grep -q 'no tokenizer' llama.log || fail "no warning of a missing tokenizer"
[ ! -s gpt2.log ] || fail "gpt2: $(cat gpt2.log)"
"$GRIDGPT" generate gpt2.h5 --prompt 'the theme' --temperature 0 --tokens 3 | grep -aq '^the theme' || fail "no text"
[ "$("$GRIDGPT" tokenizer encode --tokenizer gpt2 <<<'the others' 2>&1)" = \
  "$("$GRIDGPT" tokenizer encode --tokenizer "$golden/gpt2" <<<'the others' 2>&1)" ] || fail "another tokenizer"
status=0
"$GRIDGPT" generate llama.h5 --prompt 'the theme' 2>error || status=$?
[ $status = 64 ] && grep -q 'llama.h5: holds no tokenizer; give a --prompt of token ids, and --ids' error ||
    fail "status $status: $(cat error)"
status=0
"$GRIDGPT" generate llama.h5 --ids --prompt '1 64' 2>error || status=$?
[ $status = 64 ] && grep -q 'ids up to 63, and not 64' error || fail "status $status: $(cat error)"
