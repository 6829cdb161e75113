#!/bin/bash
# What import and export refuse: one message with the file and the key, status 65 (of a folder) or 64 (of settings), and
# nothing half-written.
set -euo pipefail
rm -rf ./*
golden="$GG_SOURCE/tests/golden/huggingface"
fail() { echo "FAILED: $*" >&2; exit 1; }

# refused STATUS TEXT WORDS...: the program ends so, with one line that has the text.
refused() {
    local wanted=$1 text=$2 status=0
    shift 2
    "$GRIDGPT" "$@" >output 2>error || status=$?
    [ "$status" = "$wanted" ] || fail "$*: status $status, not $wanted: $(cat error)"
    grep -qF -- "$text" error || fail "$*: '$text' is not in: $(cat error)"
    [ "$(grep -vc '^warning' error)" = 1 ] || fail "$*: not one message: $(cat error)"
    [ ! -e x.h5 ] && [ ! -e x.h5.tmp ] && [ ! -e out ] && [ ! -e out.tmp ] || fail "$*: something is left"
}
# folder NAME: a copy to spoil.
folder() { rm -rf folder; cp -r "$golden/$1" folder; }
# config EXPRESSION: changes folder/config.json, c in Python.
config() {
    "$GG_TEST_PYTHON" -c "
import json
c = json.load(open('folder/config.json'))
$1
json.dump(c, open('folder/config.json', 'w'))"
}
# header EXPRESSION: changes the header of folder/model.safetensors, h in Python, and leaves the data.
header() {
    "$GG_TEST_PYTHON" -c "
import json, struct
data = open('folder/model.safetensors', 'rb').read()
n = struct.unpack('<Q', data[:8])[0]
h = json.loads(data[8:8 + n])
$1
text = json.dumps(h).encode()
open('folder/model.safetensors', 'wb').write(struct.pack('<Q', len(text)) + text + data[8 + n:])"
}

refused 64 '--out is wanted' import "$golden/gpt2"
refused 74 'nowhere: there is no such folder' import nowhere --out x.h5
refused 64 '--context 16: the positions of' import "$golden/gpt2" --out x.h5 --context 16
refused 64 'was made for 32 at most' import "$golden/llama" --out x.h5 --context 33
mkdir empty
refused 65 'empty: no config.json in it' import empty --out x.h5
folder gpt2
refused 74 'no/folder' import folder --out no/folder/x.h5

folder llama && config 'c["model_type"] = "bert"'
refused 65 "folder/config.json: model_type: 'bert' is not supported" import folder --out x.h5
folder llama && config 'c["rope_parameters"] = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}'
refused 65 "folder/config.json: rope_parameters: rope_type 'yarn' is not supported" import folder --out x.h5
folder llama && config 'c["rope_scaling"] = {"type": "dynamic", "factor": 2.0}'
refused 65 "folder/config.json: rope_scaling: type 'dynamic' is not supported" import folder --out x.h5
folder llama && config 'del c["num_hidden_layers"]'
refused 65 'folder/config.json: num_hidden_layers: is missing' import folder --out x.h5
folder llama && config 'c["num_key_value_heads"] = 3'
refused 65 'folder/config.json: model.kv_heads 3 does not divide model.heads 4' import folder --out x.h5
folder llama && config 'c["num_hidden_layers"] = 1 << 40'
refused 65 'folder/config.json: num_hidden_layers: ' import folder --out x.h5
folder llama && config 'c["num_hidden_layers"] = 3'
refused 65 'tensor model.layers.2.input_layernorm.weight' import folder --out x.h5
folder llama && config 'c["num_hidden_layers"] = 1'
refused 65 'tensor model.layers.1.input_layernorm.weight is none of the model' import folder --out x.h5
folder gpt2 && config 'c["scale_attn_by_inverse_layer_idx"] = True'
refused 65 'folder/config.json: scale_attn_by_inverse_layer_idx: true' import folder --out x.h5
folder gpt2 && config 'c["vocab_size"] = 260'
refused 65 'folder/config.json: vocab_size: 260, and the tokenizer beside it has 265' import folder --out x.h5
folder gpt2 && config 'c["n_positions"] = 33'
refused 65 'folder/model.safetensors: tensor transformer.wpe.weight is 32 x 24, and by config.json it is 33 x 24' \
    import folder --out x.h5
folder gpt2 && echo '{"n_layer": 1, "n_layer": 2}' >folder/config.json
refused 65 'folder/config.json: not JSON' import folder --out x.h5

folder gpt2 && mv folder/model.safetensors folder/pytorch_model.bin
refused 65 'folder/pytorch_model.bin: a pickle file' import folder --out x.h5
grep -q 'safe_serialization=True' error || fail "pickle: not told what to do"
folder gpt2 && truncate -s -1 folder/model.safetensors
refused 65 'folder/model.safetensors: tensor' import folder --out x.h5
folder gpt2 && truncate -s 1000 folder/model.safetensors
refused 65 'folder/model.safetensors: truncated' import folder --out x.h5
folder gpt2 && printf x >>folder/model.safetensors
refused 65 'folder/model.safetensors: the tensors end at byte' import folder --out x.h5
folder gpt2 && header 'h["transformer.h.0.attn.scale"] = h.pop("transformer.ln_f.bias")'
refused 65 'tensor transformer.ln_f.bias, which config.json calls for, is missing' import folder --out x.h5
folder gpt2 && header 'h["transformer.ln_f.bias"]["dtype"] = "I32"'
refused 65 'folder/model.safetensors: tensor transformer.ln_f.bias is of dtype I32' import folder --out x.h5
# A copy of the head is the embedding, or the folder contradicts itself.
add_head='
wte = h["transformer.wte.weight"]
begin, end = wte["data_offsets"]
h["lm_head.weight"] = dict(wte, data_offsets=[len(data) - 8 - n, len(data) - 8 - n + end - begin])
data += data[8 + n + begin:8 + n + end]'
folder gpt2 && header "$add_head"
"$GRIDGPT" import folder --out head.h5 && "$GRIDGPT" import "$golden/gpt2" --out plain.h5
cmp head.h5 plain.h5 || fail "a copy of the head changes the checkpoint"
header "
data = data[:-1] + bytes([data[-1] ^ 1])"
refused 65 'tensor lm_head.weight differs from transformer.wte.weight' import folder --out x.h5
# Buffers that old versions of transformers saved are no weights.
folder gpt2 && header '
h["transformer.h.1.attn.bias"] = {"dtype": "U8", "shape": [1, 1, 2, 2], "data_offsets": [len(data) - 8 - n, len(data) - 4 - n]}
data += bytes(4)'
"$GRIDGPT" import folder --out head.h5
cmp head.h5 plain.h5 || fail "a buffer changes the checkpoint"

folder llama && rm folder/model-00002-of-00004.safetensors
refused 65 'folder/model.safetensors.index.json: weight_map: tensor' import folder --out x.h5
grep -q 'shard model-00002-of-00004.safetensors is missing' error || fail "shard: $(cat error)"
folder llama && truncate -s -100 folder/model-00003-of-00004.safetensors
refused 65 'folder/model-00003-of-00004.safetensors: tensor' import folder --out x.h5
folder llama && sed -i 's/model-00002-of-00004/..\/folder\/model-00002-of-00004/' folder/model.safetensors.index.json
refused 65 'is no name of a shard in this folder' import folder --out x.h5

# A tokenizer of another kind: imported without one, told so.
folder llama && echo '{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {}, "merges": []}}' >folder/tokenizer.json
"$GRIDGPT" import folder --out ids.h5 2>error
grep -q 'warning: imported without its tokenizer.*end_of_word_suffix' error || fail "tokenizer: $(cat error)"

# Exports: over nothing that is there, of nothing that transformers lacks (the settings: test_huggingface_config).
mkdir full && touch full/file
refused 64 'full: is there already and is no empty folder' export plain.h5 --out full
[ "$(ls full)" = file ] && [ ! -e full.tmp ] || fail "full is not as it was"
refused 64 '--dtype' export plain.h5 --out out --dtype fp8
refused 74 'nothing.h5' export nothing.h5 --out out
"$GG_TEST_PYTHON" - <<'P'
import h5py
data = bytearray(open("plain.h5", "rb").read())
data[h5py.File("plain.h5")["model/transformer.h.0.mlp.c_fc.weight"].id.get_offset()] ^= 1
open("damaged.h5", "wb").write(data)
P
refused 65 'damaged.h5: damaged: tensor model/transformer.h.0.mlp.c_fc.weight' export damaged.h5 --out out
(ulimit -f 64; refused 74 out.tmp/model.safetensors export plain.h5 --out out)
