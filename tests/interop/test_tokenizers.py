"""Tokenizers through gridgpt and back: transformers' AutoTokenizer, on a folder that gridgpt exported, gives the ids that
the tokenizers library gave (tests/golden/tokenizer_texts.json), which are ours too.

`tests/run.sh interop` runs this with torch and transformers.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, LlamaConfig, Qwen3Config

GRIDGPT, SOURCE = os.environ["GRIDGPT"], os.environ["GG_SOURCE"]
GPT2_FILES = os.path.join(os.environ.get("GG_SHARED_DATA", ""), "gpt2")
ENDS = {"gpt2": (None, "<|endoftext|>"), "qwen3": (None, "<|endoftext|>"), "llama3": ("<|begin_of_text|>", "<|end_of_text|>")}


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"FAILED: {words}: status {done.returncode}: {done.stderr}")
    return done.stdout, done.stderr


def tiny(kind, vocab):
    sizes = dict(vocab_size=vocab, num_hidden_layers=1, num_attention_heads=1, bos_token_id=None, eos_token_id=None)
    if kind == "gpt2":
        return GPT2Config(vocab_size=vocab, n_embd=8, n_layer=1, n_head=1, n_positions=32, bos_token_id=None, eos_token_id=None)
    llama = dict(sizes, hidden_size=8, intermediate_size=8, num_key_value_heads=1, max_position_embeddings=32)
    return Qwen3Config(**llama, head_dim=8) if kind == "qwen3" else LlamaConfig(**llama)


def through(kind, vocab, files):
    """Into a checkpoint and out again, with a model that transformers knows by the same name; what import said."""
    AutoModelForCausalLM.from_config(tiny(kind, vocab)).save_pretrained("theirs")
    for name, path in files.items():
        shutil.copy(path, f"theirs/{name}")
    said = run(GRIDGPT, "import", "theirs", "--out", "a.h5")[1]
    run(GRIDGPT, "export", "a.h5", "--out", "ours")
    return said


def ours(texts, *options):
    for i, text in enumerate(texts):
        with open(f"text-{i}", "wb") as file:
            file.write(text.encode())
    lines = run(GRIDGPT, "tokenizer", "encode", "--tokenizer", "ours", *options,
                *(f"text-{i}" for i in range(len(texts))))[0].splitlines()
    return [[int(word) for word in line.split()] for line in lines]


def check_golden(kind, rows):
    vocab = 337
    said = through("llama" if kind == "llama3" else kind, vocab,
                   {"tokenizer.json": f"{SOURCE}/tests/golden/tokenizer_{kind}.json"})
    assert "warning" not in said, said
    tokenizer = AutoTokenizer.from_pretrained("ours")
    assert (tokenizer.bos_token, tokenizer.eos_token) == ENDS[kind], (tokenizer.bos_token, tokenizer.eos_token)
    assert tokenizer.model_max_length == 32
    texts = [row["text"] for row in rows]
    for row, text, special, plain in zip(rows, texts, ours(texts, "--special"), ours(texts), strict=True):
        theirs = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert theirs == row["ids"][kind] == special, f"{text!r}: {theirs}, ours {special}"
        assert plain == row["plain"][kind], f"{text!r}: {plain}"
    begin = tokenizer("x")["input_ids"][:1]
    assert (begin == [tokenizer.bos_token_id]) == (kind == "llama3"), "what AutoTokenizer puts in front by itself"
    print(f"ok      {kind}: {type(tokenizer).__name__}, {len(rows)} texts")


def check_gpt2_files(rows):
    """GPT-2's own vocab.json and merges.txt, beside transformers' class for them."""
    files = {name: f"{GPT2_FILES}/{name}" for name in ("vocab.json", "merges.txt")}
    through("gpt2", 50257, files)
    theirs, again = AutoTokenizer.from_pretrained("theirs"), AutoTokenizer.from_pretrained("ours")
    texts = [row["text"] for row in rows]
    for text, ids in zip(texts, ours(texts, "--special"), strict=True):
        assert theirs(text, add_special_tokens=False)["input_ids"] == ids, repr(text)
        assert again(text, add_special_tokens=False)["input_ids"] == ids, repr(text)
    print(f"ok      vocab.json and merges.txt of GPT-2: {type(theirs).__name__}, {len(rows)} texts")


def check_other_kind():
    """A tokenizer with byte fallback: the model comes without it, and says so."""
    with open(f"{SOURCE}/tests/golden/tokenizer_gpt2.json") as file:
        root = json.load(file)
    root["model"]["byte_fallback"] = True
    with open("other.json", "w") as file:
        json.dump(root, file)
    said = through("llama", 337, {"tokenizer.json": "other.json"})
    assert "warning" in said and "model.byte_fallback" in said, said
    assert not os.path.exists("ours/tokenizer.json")
    print("ok      a tokenizer of another kind")


def main():
    with open(f"{SOURCE}/tests/golden/tokenizer_texts.json") as file:
        rows = json.load(file)
    checks = [(check_golden, kind, rows) for kind in ENDS] + [(check_other_kind,)]
    if os.path.exists(GPT2_FILES):
        checks.append((check_gpt2_files, rows))
    for check, *words in checks:
        if len(sys.argv) > 1 and not any(word in repr(words) + check.__name__ for word in sys.argv[1:]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            check(*words)
            os.chdir("/")


main()
