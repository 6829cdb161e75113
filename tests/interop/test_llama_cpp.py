"""Models with random weights, handed out as GGUF files, in llama.cpp.

`tests/run.sh interop` runs this with llama-cpp-python. A file in F32, with an F32 cache, gives the tokens that our model
gives wherever our best logit leads by LEAD; files of the other types load and stay near. The tokenizer in the file gives
the ids that the Hugging Face tokenizers library gave (tests/golden/tokenizer_texts.json).
"""
import json
import os
import subprocess
import sys
import tempfile
import unicodedata

import llama_cpp
import numpy as np

sys.path.insert(0, os.path.join(os.environ["GG_SOURCE"], "tests/jobs/use"))
from random_folder import CONTEXT, MODELS, write_folder  # noqa: E402

GRIDGPT, LOGITS, SOURCE = os.environ["GRIDGPT"], os.environ["GG_LOGITS"], os.environ["GG_SOURCE"]
PROMPT, TOKENS = 8, 40
LEAD = 0.05
NEAR = {"gpt2": 0.02, "llama": 1e-4, "qwen3": 1e-4}  # llama.cpp looks up GELU in a table of halves
random = np.random.default_rng(3)


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"{words[1:3]}: status {done.returncode}: {done.stderr.decode()}")
    return done.stdout


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
