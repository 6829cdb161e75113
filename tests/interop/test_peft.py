"""Adapters that gridgpt trained, in the hands of PEFT: the exported adapter on the base that it stands beside, the
merged export, and the checkpoint itself have the same logits to 1e-4.

`tests/run.sh interop` runs this with torch, transformers and peft.
"""
import os
import sys

import peft
import torch
import transformers
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, Qwen3Config

import test_huggingface as peer
from test_huggingface import GRIDGPT, run

peer.VOCAB = VOCAB = 300
TEXT = "the king and queen of every land saw a small red bird that sang by night under old trees while rain fell"

# The model, the settings of its adapters, and PEFT's maps that have them.
CASES = {
    "gpt2": (GPT2Config(**peer.gpt(vocab_size=VOCAB)), ["finetune.lora.rank=4"], {"c_attn"}),
    "gpt2 everywhere": (GPT2Config(**peer.gpt(vocab_size=VOCAB)),
                        ["finetune.lora.rank=3", "finetune.lora.alpha=7", "finetune.lora.targets=[c_attn, c_proj, c_fc]"],
                        {"c_attn", "c_proj", "c_fc"}),
    "gpt2 one map": (GPT2Config(**peer.gpt(vocab_size=VOCAB)),
                     ["finetune.lora.rank=2", "finetune.lora.targets=transformer.h.1.attn.c_proj"], {"c_proj"}),
    "llama": (LlamaConfig(**peer.small(vocab_size=VOCAB)), ["finetune.lora.rank=4"], {"q_proj", "v_proj"}),
    "llama everywhere": (LlamaConfig(**peer.small(vocab_size=VOCAB)),
                         ["finetune.lora.rank=8", "finetune.lora.dropout=0.1",
                          "finetune.lora.targets=[q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj]"],
                         {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}),
    "qwen3": (Qwen3Config(**peer.small(vocab_size=VOCAB, head_dim=16)), ["finetune.lora.rank=4"], {"q_proj", "v_proj"}),
}


def prepare():
    words = TEXT.split()
    with open("text.txt", "w") as file:
        for i in range(600):
            print(*(words[(i * i + 7 * k) % len(words)] for k in range(12)), file=file)
    run(GRIDGPT, "tokenizer", "train", "--vocab", VOCAB, "--out", "tokenizer.json", "text.txt")
    run(GRIDGPT, "prepare", "--tokenizer", "tokenizer.json", "--out", "data", "text.txt")


def check_adapters(name, config, settings, maps):
    prepare()
    model = peer.random_model(config)
    model.save_pretrained("theirs")
    run(GRIDGPT, "import", "theirs", "--out", "base.h5")
    run(GRIDGPT, "train", "data.train=data/train-*.h5", "run.from=base.h5", "run.steps=12", "optim.lr=3e-2",
        "optim.warmup=1", "batch.sequences=4", "batch.micro=4", *settings)
    ids = peer.ids_file("ids")
    run(GRIDGPT, "export", "run", "--format", "peft", "--out", "adapter")
    run(GRIDGPT, "export", "run", "--out", "merged")
    base = AutoModelForCausalLM.from_pretrained("theirs").eval()
    with torch.no_grad():
        before = base(ids).logits[0]
        adapted = peft.PeftModel.from_pretrained(base, "adapter").eval()
        found = {n.split(".lora_A")[0].split(".")[-1] for n, _ in adapted.named_parameters() if ".lora_A." in n}
        assert found == maps, f"{name}: {found}"
        theirs = adapted(ids).logits[0]
        moved = (theirs - before).abs().max().item()
        assert moved > 0.05, f"{name}: the adapters do nothing ({moved})"
        newest = sorted(os.listdir("run/checkpoints"))[-1]
        peer.check_logits(name + ", the checkpoint", peer.our_logits(f"run/checkpoints/{newest}", "ids"), theirs)
        merged = AutoModelForCausalLM.from_pretrained("merged").eval()
        peer.check_logits(name + ", merged", merged(ids).logits[0], theirs)
        peer.check_logits(name + ", merged by PEFT", adapted.merge_and_unload()(ids).logits[0], theirs)


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    only = sys.argv[1:]
    for name, case in CASES.items():
        if not only or any(word in name for word in only):
            peer.attempt(name, check_adapters, name, *case)
    print(f"{len(peer.failures)} failed" + "".join(f"\n    {name}" for name in peer.failures))
    return 1 if peer.failures else 0


if __name__ == "__main__":
    sys.exit(main())
