#!/bin/bash
# Import and export take the memory of one tensor, not of the model: what the same commands take beyond a tiny model's is
# far below the model's size.
set -euo pipefail
rm -rf ./*
[ -z "$GG_SANITIZE" ] || { echo "skipped: a sanitizer keeps what is freed"; exit 77; }
golden="$GG_SOURCE/tests/golden/huggingface"
fail() { echo "FAILED: $*" >&2; exit 1; }

# A Llama of 200 MB in a file without blocks, whose largest matrices have 4 MB.
"$GG_TEST_PYTHON" - <<'P'
import json, os, struct
layers, width, inside, vocab = 12, 512, 2048, 64
os.makedirs("large")
json.dump(dict(model_type="llama", vocab_size=vocab, hidden_size=width, intermediate_size=inside, num_hidden_layers=layers,
               num_attention_heads=8, max_position_embeddings=64, tie_word_embeddings=True), open("large/config.json", "w"))
shapes = {"model.embed_tokens.weight": [vocab, width], "model.norm.weight": [width]}
for i in range(layers):
    p = f"model.layers.{i}."
    shapes.update({p + "input_layernorm.weight": [width], p + "post_attention_layernorm.weight": [width]})
    shapes.update({p + f"self_attn.{n}_proj.weight": [width, width] for n in "qkvo"})
    shapes.update({p + "mlp.gate_proj.weight": [inside, width], p + "mlp.up_proj.weight": [inside, width],
                   p + "mlp.down_proj.weight": [width, inside]})
header, at = {}, 0
for name, shape in shapes.items():
    size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
    header[name] = dict(dtype="F32", shape=shape, data_offsets=[at, at + size])
    at += size
text = json.dumps(header).encode()
with open("large/model.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    file.truncate(8 + len(text) + at)
P
model=$(stat -c %s large/model.safetensors)
[ "$model" -gt 180000000 ] || fail "a small model: $model"

# peak WORDS...: the most memory that the program had, in bytes.
peak() {
    "$GG_TEST_PYTHON" - "$@" <<'P'
import os, resource, subprocess, sys
subprocess.run([os.environ["GRIDGPT"]] + sys.argv[1:], check=True, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
P
}
compare() {
    echo "$1: $2 bytes for a tiny model, $3 for one of $model"
    [ $((($3 - $2) * 8)) -lt "$model" ] || fail "$1: $(($3 - $2)) bytes more, of a model of $model"
}
compare import "$(peak import "$golden/llama" --out tiny.h5)" "$(peak import large --out large.h5)"
compare export "$(peak export tiny.h5 --out tiny)" "$(peak export large.h5 --out again)"
gguf=(--format gguf --dtype q8_0)
compare "export ${gguf[*]}" "$(peak export tiny.h5 --out tiny.gguf "${gguf[@]}")" "$(peak export large.h5 --out again.gguf "${gguf[@]}")"
rm -rf large.h5 again again.gguf large
