"""Compares a GGUF file with the checkpoint that it was made from: a reader of its own for the file's structure, h5py and
numpy for the values, and gguf's own reader and quantisation.

usage: check_gguf.py < LIST    of lines CHECKPOINT FILE ARCHITECTURE TYPE PATTERN; TYPE: F32, F16, BF16 or Q8_0
"""
import json
import struct
import sys

import gguf
import h5py
import numpy as np

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TYPES = {0: "F32", 1: "F16", 8: "Q8_0", 30: "BF16"}
ALIGNMENT = 32


class File:
    """The parts of a GGUF file (docs/gguf.md of ggml), every byte accounted for."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.at = 0
        assert self.take("4s") == b"GGUF"
        assert self.take("I") == 3
        tensors, keys = self.take("Q"), self.take("Q")
        self.keys, self.tensors = {}, {}
        for _ in range(keys):
            key = self.text()
            assert key not in self.keys and key.isascii(), key
            self.keys[key] = self.value(self.take("I"))
        infos = []
        for _ in range(tensors):
            name = self.text()
            assert name not in self.tensors and len(name) < 64, name
            self.tensors[name] = None
            sizes = [self.take("Q") for _ in range(self.take("I"))]
            infos.append((name, sizes, TYPES[self.take("I")], self.take("Q")))
        begin, end = self.aligned(self.at), 0
        assert not any(self.bytes[self.at:begin])
        for name, sizes, kind, offset in infos:
            assert offset == end, f"{name}: a hole or an overlap before it"
            data = self.bytes[begin + offset:begin + offset + self.length(sizes, kind)]
            self.tensors[name] = (tuple(reversed(sizes)), kind, data)
            end = self.aligned(offset + len(data))
            assert not any(self.bytes[begin + offset + len(data):begin + end])
        assert begin + end == len(self.bytes), "the file ends elsewhere"

    @staticmethod
    def aligned(at):
        return -(-at // ALIGNMENT) * ALIGNMENT

    @staticmethod
    def length(sizes, kind):
        count = int(np.prod(sizes))
        if kind == "Q8_0":
            assert sizes[0] % 32 == 0
            return count // 32 * 34
        return count * (4 if kind == "F32" else 2)

    def take(self, form):
        value, = struct.unpack_from("<" + form, self.bytes, self.at)
        self.at += struct.calcsize("<" + form)
        return value

    def text(self):
        length = self.take("Q")
        return self.take(f"{length}s").decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            inner, count = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(count)]
        return self.take(SCALARS[kind])


def permuted(weight, heads):
    """Rows (out, ...) of a map to heads: features half a head apart become neighbours."""
    half = weight.shape[0] // heads // 2
    return weight.reshape(heads, 2, half, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def head_size(settings):
    return int(settings["model.head_size"]) or int(settings["model.width"]) // int(settings["model.heads"])


def expected(model, settings, architecture):
    """Names, values and whether they stay F32."""
    blocks = {"ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_2": "ffn_norm",
              "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down", "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q",
              "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
              "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
              "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
              "mlp.down_proj": "ffn_down"}
    whole = {"transformer.wte": "token_embd", "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm",
             "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    for name, values in model.items():
        values = values[...]
        stem, kind = name.rsplit(".", 1)
        if stem in whole:
            theirs, linear = whole[stem], False
        else:
            layer, part = stem.removeprefix("transformer.h.").removeprefix("model.layers.").split(".", 1)
            theirs, linear = f"blk.{layer}.{blocks[part]}", values.ndim == 2
        if linear:
            values = values.T
        if architecture == "llama" and theirs.endswith(("attn_q", "attn_k")):
            values = permuted(values, values.shape[0] // head_size(settings))
        yield f"{theirs}.{kind}", np.ascontiguousarray(values), values.ndim == 1 or theirs == "position_embd"


def check_tensors(file, model, settings, architecture, kind):
    names = set()
    for name, values, plain in expected(model, settings, architecture):
        wanted = "F32" if plain else "F16" if kind == "Q8_0" and values.shape[-1] % 32 else kind
        shape, got, data = file.tensors[name]
        assert (shape, got) == (values.shape, wanted), (name, shape, got, values.shape, wanted)
        raw = gguf.quantize(values, gguf.GGMLQuantizationType[wanted]).tobytes()
        assert raw == data, f"{name}: other values"
        names.add(name)
    assert names == set(file.tensors), names ^ set(file.tensors)


def check_model_keys(keys, settings, architecture, kind):
    def setting(name):
        return settings["model." + name]

    heads = int(setting("heads"))
    numbers = {"context_length": setting("context"), "embedding_length": setting("width"), "block_count": setting("layers"),
               "feed_forward_length": int(setting("mlp_width")) or 4 * int(setting("width")), "attention.head_count": heads,
               "attention.head_count_kv": int(setting("kv_heads")) or heads}
    if architecture == "gpt2":
        numbers["attention.layer_norm_epsilon"] = setting("norm_eps")
    else:
        size = head_size(settings)
        numbers |= {"attention.layer_norm_rms_epsilon": setting("norm_eps"), "attention.key_length": size,
                    "attention.value_length": size, "rope.dimension_count": size,
                    "rope.freq_base": setting("rope_theta")}
    for name, number in numbers.items():
        value = keys[f"{architecture}.{name}"]
        assert value == np.float32(number), (name, value, number)
    assert keys["general.architecture"] == architecture
    assert keys["general.file_type"] == gguf.LlamaFileType["ALL_F32" if kind == "F32" else "MOSTLY_" + kind]
    assert keys["general.quantization_version"] == gguf.GGML_QUANT_VERSION


def check_tokenizer(keys, tokenizer, vocab, pattern):
    if tokenizer is None:
        assert keys["tokenizer.ggml.model"] == "none" and "tokenizer.ggml.tokens" not in keys
        return
    names = {id: text for text, id in tokenizer["model"]["vocab"].items()}
    kinds = dict.fromkeys(names, gguf.TokenType.NORMAL)
    for token in tokenizer["added_tokens"]:
        names[token["id"]] = token["content"]
        kinds[token["id"]] = gguf.TokenType.CONTROL if token["special"] else gguf.TokenType.USER_DEFINED
    assert keys["tokenizer.ggml.tokens"] == [names.get(id, f"[PAD{id}]") for id in range(vocab)]
    assert keys["tokenizer.ggml.token_type"] == [kinds.get(id, gguf.TokenType.UNUSED) for id in range(vocab)]
    merges = [m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]]
    assert keys["tokenizer.ggml.merges"] == merges
    assert (keys["tokenizer.ggml.model"], keys["tokenizer.ggml.pre"]) == ("gpt2", pattern)
    end = "<|end_of_text|>" if pattern == "llama-bpe" else "<|endoftext|>"
    assert names[keys["tokenizer.ggml.eos_token_id"]] == end
    assert keys["tokenizer.ggml.add_bos_token"] == (pattern == "llama-bpe")
    if pattern == "llama-bpe":
        assert names[keys["tokenizer.ggml.bos_token_id"]] == "<|begin_of_text|>"


def main(checkpoint, path, architecture, kind, pattern):
    file = File(path)
    with h5py.File(checkpoint) as h5:
        text = bytes(h5["settings"][:]).decode()
        settings = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        model = h5["model"]
        vocab = model["transformer.wte.weight" if architecture == "gpt2" else "model.embed_tokens.weight"].shape[0]
        check_tensors(file, model, settings, architecture, kind)
        check_model_keys(file.keys, settings, architecture, kind)
        check_tokenizer(file.keys, json.loads(bytes(h5["tokenizer"][:])) if "tokenizer" in h5 else None, vocab, pattern)
    assert file.keys[f"{architecture}.vocab_size"] == vocab
    reader = gguf.GGUFReader(path)
    assert {t.name: t.data.tobytes() for t in reader.tensors} == {n: t[2] for n, t in file.tensors.items()}
    print(f"{path}: {len(file.tensors)} tensors, {len(file.keys)} keys")


for line in sys.stdin:
    main(*line.split())
