"""Hugging Face folders of small models with random weights, written by hand: what `gridgpt import` takes, without torch.

usage: random_folder.py    writes NAME.hf for each of MODELS and of WITHOUT_GRAPH
"""
import json
import os
import shutil
import struct

import numpy as np

SOURCE = os.environ["GG_SOURCE"]
CONTEXT = 256  # the least that llama.cpp makes
random = np.random.default_rng(3)


def gpt2_tensors(c):
    width, inside, layers = c["n_embd"], c["n_inner"], c["n_layer"]
    yield "transformer.wte.weight", (c["vocab_size"], width)
    yield "transformer.wpe.weight", (c["n_positions"], width)
    for i in range(layers):
        for name, shape in (("ln_1", (width,)), ("attn.c_attn", (width, 3 * width)), ("attn.c_proj", (width, width)),
                            ("ln_2", (width,)), ("mlp.c_fc", (width, inside)), ("mlp.c_proj", (inside, width))):
            yield f"transformer.h.{i}.{name}.weight", shape
            yield f"transformer.h.{i}.{name}.bias", shape[-1:]
    yield "transformer.ln_f.weight", (width,)
    yield "transformer.ln_f.bias", (width,)
    if not c["tie_word_embeddings"]:
        yield "lm_head.weight", (c["vocab_size"], width)


def llama_tensors(c):
    width, inside, size = c["hidden_size"], c["intermediate_size"], c["head_dim"]
    heads, kv = c["num_attention_heads"] * size, c["num_key_value_heads"] * size
    yield "model.embed_tokens.weight", (c["vocab_size"], width)
    for i in range(c["num_hidden_layers"]):
        at = f"model.layers.{i}."
        for name, shape in (("self_attn.q_proj", (heads, width)), ("self_attn.k_proj", (kv, width)),
                            ("self_attn.v_proj", (kv, width)), ("self_attn.o_proj", (width, heads)),
                            ("mlp.gate_proj", (inside, width)), ("mlp.up_proj", (inside, width)),
                            ("mlp.down_proj", (width, inside))):
            yield at + name + ".weight", shape
            if c.get("attention_bias"):
                yield at + name + ".bias", shape[:1]
        yield at + "input_layernorm.weight", (width,)
        yield at + "post_attention_layernorm.weight", (width,)
        if c["model_type"] == "qwen3":
            yield at + "self_attn.q_norm.weight", (size,)
            yield at + "self_attn.k_norm.weight", (size,)
    yield "model.norm.weight", (width,)
    if not c["tie_word_embeddings"]:
        yield "lm_head.weight", (c["vocab_size"], width)


def gpt2(**more):
    return dict(dict(model_type="gpt2", architectures=["GPT2LMHeadModel"], n_embd=64, n_inner=96, n_layer=3, n_head=4,
                     n_positions=CONTEXT, layer_norm_epsilon=1e-5, activation_function="gelu_new",
                     tie_word_embeddings=True), **more)


def llama(**more):
    return dict(dict(model_type="llama", architectures=["LlamaForCausalLM"], hidden_size=64, intermediate_size=96,
                     num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
                     max_position_embeddings=CONTEXT, rms_norm_eps=1e-5, hidden_act="silu",
                     rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, tie_word_embeddings=False), **more)


def qwen3(**more):
    return llama(model_type="qwen3", architectures=["Qwen3ForCausalLM"], **more)


# Configuration, tokenizer, entries.
MODELS = {
    "gpt2": (gpt2(), "gpt2", 331),
    "gpt2-untied": (gpt2(tie_word_embeddings=False, layer_norm_epsilon=1e-3), "gpt2", 331),
    "gpt2-bare": (gpt2(), None, 101),
    "gpt2-odd": (gpt2(n_embd=48, n_head=3), "gpt2", 340),  # rows that 32 divides, and others
    "llama": (llama(), "llama3", 340),
    "llama-head-dim": (llama(head_dim=24, num_key_value_heads=1), "gpt2", 331),
    "llama-biases": (llama(attention_bias=True, mlp_bias=True, tie_word_embeddings=True), "llama3", 337),
    "llama-theta": (llama(rope_parameters={"rope_type": "default", "rope_theta": 500.0}, num_key_value_heads=4), "qwen3", 336),
    "qwen3": (qwen3(head_dim=24), "qwen3", 336),
    "qwen3-tied": (qwen3(tie_word_embeddings=True, num_key_value_heads=1), "qwen3", 350),
}

# What llama.cpp cannot compute, or only with all keys.
WITHOUT_GRAPH = {
    "banded": (llama(model_type="mistral", architectures=["MistralForCausalLM"], sliding_window=8), None, 101),
    "relu": (gpt2(activation_function="relu"), None, 101),
    "all-keys": (llama(model_type="mistral", architectures=["MistralForCausalLM"], sliding_window=CONTEXT), None, 101),
}


def draw(name, shape):
    """Gains near one, biases, embeddings and maps that make logits of some size."""
    if "ln_" in name or "norm" in name:
        return (random.normal(1 if name.endswith("weight") else 0, 0.2, shape)).astype(np.float32)
    return random.normal(0, 1 if len(shape) == 1 or "wte" in name or "embed" in name else shape[-1] ** -0.5 * 1.2,
                         shape).astype(np.float32) * (0.3 if len(shape) == 1 else 1)


def write_folder(folder, config, tokenizer, vocab):
    config = dict(config, vocab_size=vocab)
    tensors = {n: draw(n, s) for n, s in (gpt2_tensors if config["model_type"] == "gpt2" else llama_tensors)(config)}
    header, at = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    os.mkdir(folder)
    with open(f"{folder}/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(values.tobytes())
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file)
    if tokenizer is not None:
        shutil.copy(f"{SOURCE}/tests/golden/tokenizer_{tokenizer}.json", f"{folder}/tokenizer.json")


if __name__ == "__main__":
    for name, what in (MODELS | WITHOUT_GRAPH).items():
        write_folder(f"{name}.hf", *what)
