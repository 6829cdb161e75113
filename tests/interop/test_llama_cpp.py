"""Models with random weights, handed out as GGUF files, in llama.cpp.

`tests/run.sh interop` runs this with llama-cpp-python. A file in F32, with an F32 cache, gives the tokens that our model
gives wherever our best logit leads by LEAD; files of the other types load and stay near. The tokenizer in the file gives
the ids that the Hugging Face tokenizers library gave (tests/golden/tokenizer_texts.json).
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unicodedata

import llama_cpp
import numpy as np

GRIDGPT, LOGITS, SOURCE = os.environ["GRIDGPT"], os.environ["GG_LOGITS"], os.environ["GG_SOURCE"]
CONTEXT, PROMPT, TOKENS = 256, 8, 40  # the least context that llama.cpp makes
LEAD = 0.05
NEAR = {"gpt2": 0.02, "llama": 1e-4, "qwen3": 1e-4}  # llama.cpp looks up GELU in a table of halves
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
    "llama": (llama(), "llama3", 340),
    "llama-head-dim": (llama(head_dim=24, num_key_value_heads=1), "gpt2", 331),
    "llama-biases": (llama(attention_bias=True, mlp_bias=True, tie_word_embeddings=True), "llama3", 337),
    "llama-theta": (llama(rope_parameters={"rope_type": "default", "rope_theta": 500.0}, num_key_value_heads=4), "qwen3", 336),
    "qwen3": (qwen3(head_dim=24), "qwen3", 336),
    "qwen3-tied": (qwen3(tie_word_embeddings=True, num_key_value_heads=1), "qwen3", 350),
}


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"{words[1:3]}: status {done.returncode}: {done.stderr.decode()}")
    return done.stdout


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


def load(path):
    return llama_cpp.Llama(path, n_ctx=CONTEXT, n_batch=CONTEXT, n_threads=1, n_threads_batch=1, logits_all=True, type_k=0,
                           type_v=0, flash_attn=False, verbose=False)


def their_logits(llm, ids):
    llm.reset()
    llm.eval(ids)
    return np.array(llm.scores[:len(ids)], dtype=np.float32)


def greedy(llm, ids):
    """Their continuation, a token at a time, with the cache."""
    ids = list(ids)
    llm.reset()
    llm.eval(ids)
    while len(ids) < TOKENS:
        ids.append(int(np.argmax(llm.scores[len(ids) - 1])))
        llm.eval(ids[-1:])
    return ids


def our_logits(checkpoint, ids, vocab):
    np.array(ids, dtype=np.int32).tofile("ids")
    return np.frombuffer(run(LOGITS, checkpoint, "ids"), dtype=np.float32).reshape(len(ids), vocab)


def check_greedy(llm, checkpoint, vocab, near):
    ids = greedy(llm, random.integers(0, min(vocab, 101), PROMPT).tolist())
    ours = our_logits(checkpoint, ids, vocab)
    error = np.abs(ours - their_logits(llm, ids)).max()
    leads = 0
    for i in range(PROMPT - 1, TOKENS - 1):
        second, best = np.sort(ours[i])[-2:]
        if best - second >= LEAD:
            leads += 1
            assert ids[i + 1] == int(np.argmax(ours[i])), f"token {i + 1} is {ids[i + 1]}, ours {np.argmax(ours[i])}"
    print(f"    logits differ by {error:.1e} of {np.abs(ours).max():.1f}; the best of {leads} tokens of {TOKENS - PROMPT} leads")
    assert leads >= (TOKENS - PROMPT) // 2, "too few tokens to tell"
    assert error < near, "the logits differ"
    return ids, ours


def check_types(path, checkpoint, ids, ours):
    """What rounding the weights changes is small beside the logits."""
    for dtype, most in (("f16", 0.01), ("bf16", 0.1), ("q8_0", 0.1)):
        out = f"{path}-{dtype}.gguf"
        run(GRIDGPT, "export", checkpoint, "--out", out, "--format", "gguf", "--dtype", dtype)
        error = np.abs(their_logits(load(out), ids) - ours).max() / np.abs(ours).max()
        print(f"    {dtype}: {error:.1e} of the largest")
        assert error < most, f"{dtype}: the logits differ"


def check_texts(llm, kind):
    """Texts in Normal Form C: llama.cpp brings none to it."""
    with open(f"{SOURCE}/tests/golden/tokenizer_texts.json") as file:
        rows = json.load(file)
    alike = 0
    for row in rows:
        text = row["text"]
        if kind == "qwen3" and not unicodedata.is_normalized("NFC", text):
            continue
        got = llm.tokenize(text.encode(), add_bos=False, special=True) if text else []
        assert got == row["ids"][kind], f"{text!r}: ids {got}, not {row['ids'][kind]}"
        alike += 1
    print(f"    {alike} texts alike")
    assert alike > 20


def check(name, config, tokenizer, vocab):
    write_folder(f"{name}.hf", config, tokenizer, vocab)
    checkpoint, path = f"{name}.h5", f"{name}.gguf"
    run(GRIDGPT, "import", f"{name}.hf", "--out", checkpoint)
    run(GRIDGPT, "export", checkpoint, "--out", path, "--format", "gguf")
    llm = load(path)
    ids, ours = check_greedy(llm, checkpoint, vocab, NEAR[config["model_type"]])
    if tokenizer is not None:
        check_texts(llm, tokenizer)
    check_types(name, checkpoint, ids, ours)


def main():
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, (config, tokenizer, vocab) in MODELS.items():
            if len(sys.argv) > 1 and not any(word in name for word in sys.argv[1:]):
                continue
            print(name, flush=True)
            try:
                check(name, config, tokenizer, vocab)
            except AssertionError as error:
                print(f"    FAILED: {error}")
                failed.append(name)
    sys.exit(f"FAILED: {', '.join(failed)}" if failed else 0)


main()
