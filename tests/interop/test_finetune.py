"""What gridgpt finetunes, in the hands of transformers: classifiers and conversations.

`tests/run.sh interop` runs this with torch and transformers. An exported classifier loads without code of ours, its head
with it, and has the accuracy, the confusion and the loss that the run told of its validation. An exported conversation
template writes what the settings say, and its ids are those that the run learned from (the same validation loss) and
that `generate --chat` goes on from (the same text, and log-probabilities to 1e-4).
"""
import json
import math
import os
import re
import subprocess
import sys

import torch
import transformers
from transformers import (AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer,
                          GPT2ForSequenceClassification, LlamaConfig, LlamaForSequenceClassification)

import test_huggingface as peer
from test_huggingface import GRIDGPT, run

peer.VOCAB = VOCAB = 300
GOLDEN = os.path.join(os.environ["GG_SOURCE"], "tests/golden/huggingface")
TEXT = "the king and queen of every land saw a small red bird that sang by night under old trees while rain fell"
CLASSES = ["even", "it's", "odd \"one\""]
END = "<|endoftext|>"

# Nothing stands at the border of what is learned that a pre-tokenizer would join: a turn's text that begins with white
# space or a mark, behind a prefix that ends with one, is learned as tokens of its own, and the whole text at once has
# others. A special token that a turn's text spells is plain text to gridgpt and a token to transformers. Neither is
# tried here.
CONVERSATIONS = [
    [("user", "the king's bird"), ("assistant", "sang by night")],
    [("system", "Be 'brief' \\ {{ or }} not."), ("user", "a\n\nland of {% rain %}\t"), ("assistant", "fell")],
    [("user", "one"), ("assistant", "two"), ("user", "three?\r\n"), ("assistant", "four.")],
    [("system", ""), ("user", "é 中 \"x\""), ("assistant", "ä")],
]

DEFAULT = {"begin": "{begin}", "system_prefix": "### System:\n", "system_suffix": "\n\n", "user_prefix": "### User:\n",
           "user_suffix": "\n\n", "assistant_prefix": "### Assistant:\n", "assistant_suffix": "{end}"}
TEMPLATES = {
    "default": {},
    "begin and end": {"begin": "{end}\n", "user_prefix": "[{end}]", "system_suffix": "{begin}{end}", "assistant_suffix": "{end}\n"},
    "quotes": {"system_prefix": "'''\"", "user_prefix": "it's \"\\n\\'\\\\", "user_suffix": "\\", "assistant_prefix": "\\'a'\n"},
    "jinja": {"system_prefix": "{{ bos_token }}{# ", "system_suffix": " #}", "user_prefix": "{% if x %}", "user_suffix": "' }}\n{{ '",
              "assistant_prefix": "{%- raw -%}\n"},
    "lines": {"system_prefix": "\n\n", "user_prefix": "\r\n\tä中\r", "user_suffix": "\n \n", "assistant_prefix": "A:\n",
              "assistant_suffix": "\r{end}\n\n"},
    "empty": {"system_prefix": "", "system_suffix": "", "user_prefix": "", "assistant_suffix": "{end}"},
}


def tokenizer_file():
    with open("text.txt", "w") as file:
        words = TEXT.split()
        for i in range(600):
            print(*(words[(i * i + 7 * k) % len(words)] for k in range(12)), file=file)
    run(GRIDGPT, "tokenizer", "train", "--vocab", VOCAB, "--out", "tokenizer.json", "text.txt")


def base(kind):
    """base.h5; the settings that name its tokenizer, where it does not bring one."""
    if kind == "gpt2":
        run(GRIDGPT, "import", os.path.join(GOLDEN, "gpt2"), "--out", "base.h5")
        return []
    tokenizer_file()
    config = LlamaConfig(**dict(peer.small(vocab_size=VOCAB), max_position_embeddings=160))
    peer.random_model(config).save_pretrained("theirs")
    run(GRIDGPT, "import", "theirs", "--out", "base.h5")
    return ["data.tokenizer=tokenizer.json"]


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def finetune(*settings):
    """What the run says; the last line of its metrics that has a validation."""
    done = subprocess.run([GRIDGPT, "finetune", "finetune.from=base.h5", "run.dir=run", "data.train=train.jsonl",
                           "data.val=val.jsonl", "batch.sequences=4", "batch.micro=2", "optim.warmup=1", "eval.sequences=0",
                           "compute.precision=fp32", *settings], capture_output=True)
    said = done.stderr.decode()
    assert done.returncode == 0, said
    with open("run/metrics.jsonl") as file:
        lines = [json.loads(line) for line in file]
    return said, [line for line in lines if "val_loss" in line][-1]


def load(kind, folder):
    model, info = kind.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values()), info
    return model.eval()


def told_confusion(said):
    rows = said.split("the last validation:\n", 1)[1].splitlines()[2:2 + len(CLASSES)]
    return [[int(n) for n in re.findall(r"\d+", row[18:])] for row in rows]


def label_lines(first, count):
    words = TEXT.split()
    for i in range(first, first + count):
        text = " ".join(words[(i * i + 5 * k) % len(words)] for k in range(1 + i % 6))
        yield {"text": text + ("  " if i % 5 == 0 else ""), "label": CLASSES[i * 7 % 3]}


def check_classes(name, kind, classifier):
    settings = base(kind)
    held = list(label_lines(100, 37))
    write_lines("train.jsonl", label_lines(0, 60))
    write_lines("val.jsonl", held)
    said, told = finetune("run.steps=12", "optim.lr=1e-2", *settings)
    run(GRIDGPT, "export", "run", "--out", "hf")
    model, tokenizer = load(AutoModelForSequenceClassification, "hf"), AutoTokenizer.from_pretrained("hf")
    assert type(model) is classifier, type(model)
    assert model.config.id2label == dict(enumerate(CLASSES)), model.config.id2label
    confusion, loss = [[0] * len(CLASSES) for _ in CLASSES], 0
    for line in held:
        ids = torch.tensor([tokenizer(line["text"], add_special_tokens=False)["input_ids"]])
        with torch.no_grad():
            logits = model(ids).logits[0]
        label = CLASSES.index(line["label"])
        confusion[label][logits.argmax().item()] += 1
        loss -= logits.log_softmax(0)[label].item() / len(held)
    hits = sum(confusion[i][i] for i in range(len(CLASSES)))
    print(f"    {name}: {hits} of {len(held)} right, {confusion}; loss {loss:.6f}, the run's {told['val_loss']:.6f}")
    assert sum(any(row[i] for row in confusion) for i in range(len(CLASSES))) > 1, "every text is said to be of one class: nothing is told"
    assert confusion == told_confusion(said), f"{confusion}, the run says {told_confusion(said)}"
    assert abs(hits / len(held) - told["val_accuracy"]) < 1e-6, told
    assert abs(loss - told["val_loss"]) <= 1e-4, f"{loss}, {told}"


def written(template, turns, answer):
    """What a template makes of turns, as the settings tell it."""
    fill = {key: text.replace("{begin}", "").replace("{end}", END) for key, text in {**DEFAULT, **template}.items()}
    text = fill["begin"] + "".join(fill[role + "_prefix"] + words + fill[role + "_suffix"] for role, words in turns)
    return text + fill["assistant_prefix"] * answer


def messages(turns):
    return [{"role": role, "content": text} for role, text in turns]


def template_ids(tokenizer, turns, answer):
    return tokenizer.apply_chat_template(messages(turns), tokenize=True, add_generation_prompt=answer, return_dict=False)


def learned_loss(model, tokenizer):
    """The mean loss of what the assistant says in the validation's lines."""
    loss, count = 0.0, 0
    for turns in CONVERSATIONS:
        ids = template_ids(tokenizer, turns, False)
        with torch.no_grad():
            says = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        for i, (role, _) in enumerate(turns):
            if role != "assistant":
                continue
            first, end = len(template_ids(tokenizer, turns[:i], True)), len(template_ids(tokenizer, turns[:i + 1], False))
            assert ids[:end] == template_ids(tokenizer, turns[:i + 1], False), "a turn changes those before it"
            loss -= sum(says[at - 1, ids[at]].item() for at in range(first, end))
            count += end - first
    return loss / count


def check_answers(name, model, tokenizer):
    """Greedy answers of gridgpt, and how likely transformers finds each of their tokens."""
    asked = [turns[:-1] for turns in CONVERSATIONS]
    write_lines("asked.jsonl", ({"messages": messages(turns)} for turns in asked))
    lines = run(GRIDGPT, "generate", "run", "--chat", "--prompts", "asked.jsonl", "--json", "--temperature", 0, "--tokens", 6,
                "--precision", "fp32").decode().splitlines()
    assert len(lines) == len(asked), lines
    worst = 0
    for turns, line in zip(asked, map(json.loads, lines)):
        before, made = template_ids(tokenizer, turns, True), line["ids"]
        with torch.no_grad():
            says = model(torch.tensor([before + made])).logits[0].log_softmax(-1)
        at = range(len(before) - 1, len(before) + len(made) - 1)
        assert [says[i].argmax().item() for i in at] == made, f"{name}: another answer to {turns}"
        worst = max([worst] + [abs(says[i, id].item() - said) for i, id, said in zip(at, made, line["log_probabilities"])])
    assert worst <= 1e-4, f"{name}: log-probabilities differ by {worst}"
    return worst


def check_chat(name, template):
    settings = base("llama")
    lines = [{"messages": messages(turns)} for turns in CONVERSATIONS]
    write_lines("train.jsonl", lines)
    write_lines("val.jsonl", lines)
    _, told = finetune("run.steps=3", "optim.lr=1e-2", *settings, *(f"chat.{key}={text}" for key, text in template.items()))
    run(GRIDGPT, "export", "run", "--out", "hf")
    model, tokenizer = load(AutoModelForCausalLM, "hf"), AutoTokenizer.from_pretrained("hf")
    for turns in CONVERSATIONS:
        for answer in (False, True):
            text = tokenizer.apply_chat_template(messages(turns), tokenize=False, add_generation_prompt=answer)
            wanted = written(template, turns, answer)
            assert text == wanted, f"{name}: {text!r}, not {wanted!r}"
            assert tokenizer.decode(template_ids(tokenizer, turns, answer)) == wanted, f"{name}: ids of another text"
    loss = learned_loss(model, tokenizer)
    print(f"    {name}: loss {loss:.6f}, the run's {told['val_loss']:.6f}")
    assert math.isclose(loss, told["val_loss"], abs_tol=1e-4), f"{name}: {loss}, {told}"
    print(f"    {name}: log-probabilities of answers differ by {check_answers(name, model, tokenizer):.1e}")


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    only = sys.argv[1:]
    checks = [("gpt2 classes", check_classes, "gpt2", GPT2ForSequenceClassification),
              ("llama classes", check_classes, "llama", LlamaForSequenceClassification)]
    checks += [(f"chat {name}", check_chat, template) for name, template in TEMPLATES.items()]
    for name, check, *words in checks:
        if not only or any(word in name for word in only):
            peer.attempt(name, check, name, *words)
    print(f"{len(peer.failures)} failed" + "".join(f"\n    {name}" for name in peer.failures))
    return 1 if peer.failures else 0


if __name__ == "__main__":
    sys.exit(main())
