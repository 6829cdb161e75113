#!/bin/bash
# Makes the seeds of tests/fuzz/corpus again, all but what fuzzing found (found-*): `make_seeds.sh BUILD`, where
# BUILD is a build folder with the target make_seeds. The tokenizers are of bytes and a few merges.
set -euo pipefail
build="$(realpath "$1")"
cd "$(dirname "$0")/corpus"
mkdir -p config_json safetensors tokenizer_json tokenizer_pair tokenizer_ranks settings command_line encode clean ids jsonl \
    documents metrics pii prompts samples tasks shard checkpoint
"$build/tests/fuzz/make_seeds" .

printf 'the theme of the thesis, then the others: the the the' >/tmp/fuzz-text.$$
trap 'rm -rf /tmp/fuzz-text.$$ /tmp/fuzz-tokenizer.$$' EXIT
"$build/gridgpt" tokenizer train --vocab 262 --out tokenizer_json/small.json /tmp/fuzz-text.$$ >/dev/null
python3 - <<'P'
import base64, json
whole = json.load(open("tokenizer_json/small.json"))
model = whole["model"]
split = dict(whole)
split["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
    {"type": "Split", "pattern": {"Regex": r"\p{N}{1,3}| ?\p{L}+|\s+(?!\S)|\s+"}, "behavior": "Isolated", "invert": False},
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}
json.dump(split, open("tokenizer_json/split.json", "w"), ensure_ascii=False, separators=(",", ":"))
merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
vocab = json.dumps(model["vocab"], ensure_ascii=False, separators=(",", ":"))
with open("tokenizer_pair/small", "wb") as out:
    out.write((vocab + "\0#version: 0.2\n" + "\n".join(merges) + "\n").encode())
with open("tokenizer_pair/no-merges", "wb") as out:
    out.write((vocab + "\0").encode())
tokens = [bytes([i]) for i in range(256)] + [b"th", b"the", b" the", b"  "]
with open("tokenizer_ranks/small.tiktoken", "w") as out:
    out.writelines(f"{base64.b64encode(t).decode()} {i}\n" for i, t in enumerate(tokens))
P

cat >settings/nested.yaml <<'Y'
model:
  preset: gpt2-124m
  dropout: 0.1
data: {train: [a.h5, "b c.h5"], val: v.h5}
batch: {sequences: 8, micro: 2}
run: {dir: "run \u00e4", steps: 10k}
Y
cat >settings/dotted.yaml <<'Y'
# all kinds of values
model.layers: 2
model.heads: 2
model.width: 8
optim.lr: 6e-4
optim.schedule: wsd
data.train: a.h5
data.tokenizer: ~
checkpoint.async: false
parallel.grid: 2x1
run.steps: 1000
optim.warmup: 10
Y
printf '&a x: *a\n--- !!str\n' >settings/refused.yaml
printf '\003run.yaml\nmodel.layers=2\ndata.train=a.h5\ndata.train=b.h5\noptim.lr=1e-3\n' >command_line/train
printf '\000--tokenizer\nt.json\n--out=data\n--val\n0.1\n--no-nfc\n--\n-x' >command_line/prepare
printf '\001x\n--prompt\n-\n--temperature=0.5\n--tokens\n1k\n--precision\nbf16\n--stats' >command_line/generate
printf '\004--verfy' >command_line/nearest
printf '\000\001the theme  of\n\nthe <|endoftext|> aaaa 100000 ababa it'"'"'s' >encode/words
printf '\003\007caf\303\251 \344\270\255\346\226\207 \377\376 <|endoftext|> <|end  \r\n\r\n  aab' >encode/unicode
printf '\000a\r\nb\rc\001\302\205e\314\201\303\251 the end of it' >clean/controls
printf '\001\355\240\200abc' >clean/surrogate
printf '\000a\303\303\251 \342\200\377\360\237\300\200 z' >clean/leads
printf '\004a \340\244b\n\nc\360\220 d e f' >clean/invalid
printf '\000{"text": "a\\u0041\\ud83d\\ude42\\n", "n": 1}\n\n{"text": ""}\n{"x": "y"}\n[1]\n' >jsonl/lines
printf '\000{"text": "\\ud800 \\\\ud800 \377"}\n{"text": 1}\n{' >jsonl/repaired
printf '\001{"text": "\377"}\r\n{"text": "a\\u0000b"}' >jsonl/refused
printf '\000\357\273\277plain text\r\nof two lines' >documents/plain
printf '\001one\n\n\ntwo\r\n\r\nthree' >documents/blank
printf '\002one\n---\n---\ntwo\n---' >documents/line
{ printf '\001'; printf 'one\n\ntwo\n' | gzip -n; printf 'three' | gzip -n; } >documents/gzip
{ printf '\000'; printf 'one\n\ntwo\n' | zstd -q; printf 'three' | zstd -q --no-check; } >documents/zstd
{ printf '\000'; printf 'P*M\030\003\000\000\000abc'; head -c 3000 /dev/zero | zstd -q -19; } >documents/zstd-skipped
{ printf '\002'; printf '\3757zXZ\000abc'; } >documents/xz
printf '\002\000{"step":0,"tokens":0,"val_loss":5.5}\n{"step":1,"loss":5.1,"tokens":64}\n{"step":2,"loss":null,"tokens":128}\n{"step":3,"loss":4.9,"tokens":192}\n{"step":4,"lo' >metrics/cut
printf '\001\000{"step":1}\r\n\n[]\n{"step":-1}\n{"step":1e3}\n{"step":9223372036854775807}\nx' >metrics/odd
printf 'Write to jane.doe+news@mail.example.co.uk, o\047brien@b\303\274cher.example;a@b.c\n+49 (0)30 1234567, (212) 555-0123\n' \
    >pii/mail_phone
printf '4111 1111 1111 1111 12/25, 3782-822463-10005, 978-3-16-148410-0\n' >pii/cards
printf '192.168.0.1:80 v1.2.3.4 2001:db8::1 ::ffff:1.2.3.4 fe80::1%%eth0 12:34:56 a::b\n' >pii/addresses
printf '{"prompt": "the king"}\n\n"a"\n{"prompt": "by night", "id": 3}' >prompts/few
printf '"a"\r\n\t \n{"prompt": "b\\u0000c"}\n' >prompts/nul
printf '{"prompt": "b"}\n\000"a"' >prompts/raw-nul
printf '"\\ud83d\\ude00\303\244"\n[1]\n' >prompts/list
printf '{"activity_label": "a", "ctx_a": "b [title] c", "ctx_b": "D\303\204", "endings": ["e  f", "[g] h"], "label": "1"}\n' >tasks/hellaswag
printf '{"query": "a ", "choices": ["b", "c"], "gold": 0}\n\n{"query": "", "choices": ["", "c"], "gold": "1"}' >tasks/multiple_choice
printf '{"text": "a b\\u00a0c"}\n{"text": "d"}\n' >tasks/lambada
printf '{"context": "a", "target": "b", "id": 3}\r\n' >tasks/cloze
printf '{"text": "a", "label": 1}\n{"text": "b", "label": "x"}\n{"text": "", "label": "1"}\n' >tasks/classify
printf '{"text": "a "}\n[]' >tasks/refused
printf '\000\005{"prompt": "the king", "completion": " and the queen", "task": "go on"}\n\n{"prompt": "", "completion": "x"}\n' >samples/prompt
printf '\200\377{"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello <|endoftext|>"}]}\n' >samples/messages
printf '\003\036{"instruction": "add", "input": "1 2", "output": "3"}\r\n{"instruction": "say", "output": ""}' >samples/instruction
printf '\000\000{"text": "the b\303\244r", "label": "b"}\n{"text": "two\\n\\n", "label": 17}\n{"text": "c", "label": "a"}' >samples/label
printf '\005\002{"text": "all of it", "label": "x"}\n{"text": "the end", "task": ""}\n' >samples/text
printf '\002\044{"messages": []}\n{"messages": [{"role": "tool", "content": 1}]}' >samples/refused

for model in ../../golden/huggingface/*/config.json; do
    cp "$model" "config_json/$(basename "$(dirname "$model")").json"
done
python3 - <<'P'
import json
base = dict(vocab_size=9, hidden_size=8, intermediate_size=6, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=4)
gpt = dict(vocab_size=9, n_embd=8, n_layer=1, n_head=2)
configs = {
    "llama4": dict(base, model_type="llama", rope_theta=1e4, rope_scaling=dict(type="linear", factor=2.0), torch_dtype="float16"),
    "llama-biases": dict(base, model_type="llama", attention_bias=True, mlp_bias=True, hidden_act="swish", rms_norm_eps=1e-5),
    "qwen3-layers": dict(base, model_type="qwen3", head_dim=6, num_key_value_heads=1, use_sliding_window=True, sliding_window=3,
                         layer_types=["full_attention", "sliding_attention"]),
    "qwen3-first": dict(base, model_type="qwen3", num_key_value_heads=2, use_sliding_window=True, max_window_layers=0),
    "mistral": dict(base, model_type="mistral", num_key_value_heads=1, sliding_window=None, tie_word_embeddings=True,
                    partial_rotary_factor=1.0),
    "gpt2": dict(gpt, model_type="gpt2", n_ctx=4, n_inner=20, activation_function="gelu_pytorch_tanh", scale_attn_weights=True,
                 scale_attn_by_inverse_layer_idx=False, add_cross_attention=False, resid_pdrop=0.1, embd_pdrop=0.1, attn_pdrop=0.1),
    "gpt1": dict(gpt, model_type="openai-gpt", n_positions=4, afn="relu", layer_norm_epsilon=1e-3, quantization_config=None),
}
for name, config in configs.items():
    json.dump(config, open(f"config_json/made-{name}.json", "w"), separators=(",", ":"))

def header(**tensors):
    at, text = 0, {"__metadata__": {"format": "pt"}}
    for name, (dtype, size, shape) in tensors.items():
        for n in shape:
            size *= n
        text[name] = dict(dtype=dtype, shape=shape, data_offsets=[at, at + size])
        at += size
    return json.dumps(text, separators=(",", ":")).encode(), at
def put(name, data):
    open("safetensors/" + name, "wb").write(data)
text, size = header(a=("F32", 4, [2, 3]), b=("BF16", 2, [4]), c=("F16", 2, [0, 3]), d=("I64", 8, []))
put("header", b"\0" + size.to_bytes(2, "little") + text)
put("file", b"\1" + len(text).to_bytes(8, "little") + text + bytes(range(size)))
put("padded", b"\1" + (len(text) + 5).to_bytes(8, "little") + text + b"     " + bytes(size))
put("hole", b"\0" + (size + 4).to_bytes(2, "little") + text.replace(b"[0,24]", b"[4,28]"))
put("overflow", b"\0\0\0" + b'{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}')
index = {"metadata": {"total_size": 32}, "weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}
put("index", b"\2" + json.dumps(index).encode())
put("index-outside", b"\2" + json.dumps({"weight_map": {"x": "../a.safetensors"}}).encode())
P
