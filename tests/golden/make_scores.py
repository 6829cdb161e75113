"""Makes tests/golden/scores/: task files and texts, and what transformers makes of them with a tiny GPT-2, by the rules of
lm-evaluation-harness, which stand here once more in plain Python. The model is that of tests/golden/huggingface/ after some
steps on words like those of the files, so that it is right at times.

Run with torch and transformers, once (`build/interop/bin/python tests/golden/make_scores.py`, after `tests/run.sh
interop` made that environment). model/ is the model, KIND.jsonl are task files, texts.jsonl documents; expected.json holds
the scores.
"""
import json
import math
import pathlib
import random
import re
import shutil

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
FOLDER, OUT = HERE / "huggingface" / "gpt2", HERE / "scores"
CONTEXT, STRIDES, ALTERNATIVES = 32, (5, 32), 4

tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32)
END = tokenizer.token_to_id("<|endoftext|>")


def encode(text):
    return tokenizer.encode(text).ids


def log_probabilities(ids):
    with torch.no_grad():
        return torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)


# lm_eval/api/model.py and lm_eval/models/huggingface.py
def encode_pair(context, continuation):
    spaces = len(context) - len(context.rstrip())
    if spaces > 0:
        continuation = context[-spaces:] + continuation
        context = context[:-spaces]
    if context == "":
        return [END], encode(continuation)
    return encode(context), encode(context + continuation)[len(encode(context)):]


def likelihood(context, continuation):
    """Sum of log-probabilities, whether it is what greedy decoding writes, whether the context lost its beginning."""
    context_ids, ids = encode_pair(context, continuation)
    whole = (context_ids + ids)[-(CONTEXT + 1):]
    rows = log_probabilities(whole[:-1])[-len(ids):]
    return (sum(rows[i, id].item() for i, id in enumerate(ids)),
            all(rows[i].argmax().item() == id for i, id in enumerate(ids)),
            len(context_ids) + len(ids) > CONTEXT + 1)


# lm_eval/tasks/hellaswag/utils.py
def preprocess(text):
    text = text.strip()
    text = text.replace(" [title]", ". ")
    text = re.sub("\\[.*?\\]", "", text)
    return text.replace("  ", " ")


def hellaswag(line):
    query = line["activity_label"] + ": " + line["ctx_a"] + " " + line["ctx_b"].capitalize()
    return preprocess(query), [preprocess(ending) for ending in line["endings"]], int(line["label"])


def multiple_choice(line):
    return line["query"], line["choices"], int(line["gold"])


def lambada(line):
    words = line["text"].split(" ")
    return " ".join(words[:-1]), [words[-1]], 0


def cloze(line):
    return line["context"], [line["target"]], 0


def macro_f1(gold, said, classes):
    scores = []
    for c in range(classes):
        right = sum(g == s == c for g, s in zip(gold, said))
        wrong = sum((g == c) != (s == c) for g, s in zip(gold, said))
        if right + wrong > 0:
            scores.append(2 * right / (2 * right + wrong))
    return sum(scores) / len(scores)


def evaluate(kind, lines, of_line, classes=None):
    samples = []
    for line in lines:
        context, choices, gold = of_line(line)
        scores = [likelihood(context, " " + choice) for choice in choices]
        values = [score[0] for score in scores]
        norm = [value / len(choice) if choice else -math.inf for value, choice in zip(values, choices)]
        samples.append({"gold": gold, "chosen": values.index(max(values)), "chosen_norm": norm.index(max(norm)),
                        "truncated": any(score[2] for score in scores), "log_likelihoods": values,
                        "greedy": [score[1] for score in scores]})
    mean = lambda values: sum(values) / len(values)
    result = {"task": kind, "samples": len(lines), "truncated": sum(s["truncated"] for s in samples)}
    if kind in ("lambada", "cloze"):
        result["acc"] = mean([s["greedy"][0] for s in samples])
        result["perplexity"] = math.exp(-mean([s["log_likelihoods"][0] for s in samples]))
    else:
        result["acc"] = mean([s["chosen"] == s["gold"] for s in samples])
    if kind in ("hellaswag", "multiple_choice"):
        result["acc_norm"] = mean([s["chosen_norm"] == s["gold"] for s in samples])
    if kind == "classify":
        gold, said = [s["gold"] for s in samples], [s["chosen"] for s in samples]
        result["macro_f1"] = macro_f1(gold, said, len(classes))
        result["classes"] = classes
        result["confusion"] = [[sum(g == i and s == j for g, s in zip(gold, said)) for j in range(len(classes))]
                               for i in range(len(classes))]
    return {"result": result, "samples": samples}


# lm_eval/utils.py: get_rolling_token_windows, make_disjoint_window
def windows(ids, stride):
    first = min(CONTEXT, len(ids))
    yield [END] + ids[:first - 1], ids[:first]
    done = first
    while done < len(ids):
        count = min(len(ids) - done, stride)
        end = done + count
        yield ids[end - CONTEXT - 1:end - 1], ids[end - count:end]
        done = end


def documents(texts, stride):
    losses, tokens, size = [], [], 0
    for number, text in enumerate(texts):
        ids = encode(text) + [END]
        size += len(text.encode())
        loss, position = 0, 0
        for inputs, targets in windows(ids, stride):
            rows = log_probabilities(inputs)[-len(targets):]
            for row, target in zip(rows, targets):
                value = row[target].item()
                likeliest = torch.topk(row, ALTERNATIVES)
                tokens.append({"document": number, "position": position, "id": target, "log_probability": value,
                               "rank": (row > value).sum().item(), "ids": likeliest.indices.tolist(),
                               "log_probabilities": likeliest.values.tolist()})
                loss -= value
                position += 1
        losses.append(loss / len(ids))
    total = -sum(token["log_probability"] for token in tokens)
    return {"result": {"loss": total / len(tokens), "perplexity": math.exp(total / len(tokens)),
                       "bits_per_byte": total / math.log(2) / size, "tokens": len(tokens), "documents": len(texts),
                       "stride": stride}, "losses": losses, "tokens": tokens}


random.seed(3)
WORDS = "the then theme there others thesis a of to th e 7 \u00e9t\u00e9 \u00dfa and".split()


def words(least, most):
    return " ".join(random.choice(WORDS) for _ in range(random.randint(least, most)))


def train(steps):
    """Words behind words, in windows that begin anywhere."""
    torch.manual_seed(2)
    ids = torch.tensor(encode(" ".join(random.choice(WORDS) for _ in range(20000))))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        rows = torch.stack([ids[at:at + CONTEXT] for at in torch.randint(0, len(ids) - CONTEXT, (16,)).tolist()])
        optimizer.zero_grad()
        model(rows, labels=rows).loss.backward()
        optimizer.step()
    model.eval()


def greedy_pairs(count):
    """Contexts behind which the model itself would write ' the'."""
    found = []
    while len(found) < count:
        context = words(1, 4)
        if likelihood(context, " the")[1]:
            found.append(context)
    return found


train(150)
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
model.save_pretrained(OUT / "model")
(OUT / "model" / "generation_config.json").unlink(missing_ok=True)
shutil.copy(FOLDER / "tokenizer.json", OUT / "model")
model = AutoModelForCausalLM.from_pretrained(OUT / "model", dtype=torch.float32).eval()
pairs = greedy_pairs(4)
lines = {
    "hellaswag": [
        {"ind": 4, "activity_label": "Thesis", "ctx_a": "the [header] theme", "ctx_b": "THEN [title] \u00c9t\u00e9",
         "endings": ["the  others", "a [step] theme of the others", "then", "\u00e9t\u00e9 [x"], "label": 2},
        {"activity_label": " The", "ctx_a": "others [a] [b]", "ctx_b": "", "label": "1",
         "endings": ["[substeps] the", "[title] the others and", " and\n[the\n] a"]},
    ] + [{"activity_label": words(1, 1), "ctx_a": words(1, 4), "ctx_b": words(0, 4), "label": random.randrange(3),
          "endings": [words(1, 3) for _ in range(3)]} for _ in range(10)],
    "multiple_choice": [{"query": words(1, 5) + " " * (i % 3), "choices": [words(1, 2), words(2, 3)],
                         "gold": str(i % 2)} for i in range(7)],
    "lambada": [{"text": words(2, 9)} for _ in range(6)] + [{"text": "the"}, {"text": "the\u00a0 others"}] +
               [{"text": context + " the"} for context in pairs],
    "cloze": [{"context": context, "target": target} for context, target in
              [(pairs[0], "the"), (words(2, 3), "the"), (" ", "then")]],
    "classify": [{"text": words(1, 5), "label": label} for label in
                 "others to e others others e e to e others e to".split()],
}
CLASSES = ["others", "e", "to"]
readers = {"hellaswag": hellaswag, "multiple_choice": multiple_choice, "lambada": lambada, "cloze": cloze,
           "classify": lambda line: (line["text"] + " is", CLASSES, CLASSES.index(line["label"]))}
texts = [words(1, 2), words(40, 50), "\u00e9\u4e2d\n<b> & \t\u2603", words(8, 12)]

for kind, of_kind in lines.items():
    (OUT / f"{kind}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in of_kind))
(OUT / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
expected = {"tasks": {kind: evaluate(kind, lines[kind], readers[kind], CLASSES) for kind in lines},
            "documents": [documents(texts, stride) for stride in STRIDES]}
del expected["documents"][1]["tokens"]
rounded = json.loads(json.dumps(expected), parse_float=lambda text: round(float(text), 6))
(OUT / "expected.json").write_text(json.dumps(rounded) + "\n")
for kind in lines:
    print(expected["tasks"][kind]["result"])
print([document["result"] for document in expected["documents"]])
