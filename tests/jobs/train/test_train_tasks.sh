# Tasks and written text amid a training: on every layout the same, the same as evaluate and generate make of the
# checkpoint, each step's once however often the run is stopped; and what is refused.
source "$GG_SOURCE/tests/jobs/training.sh"

"$GG_TEST_PYTHON" - <<'P'
import json
lines = [line.split() for line in open("text.txt")][:12]
with open("words.jsonl", "w") as out:
    for words in lines:
        out.write(json.dumps({"text": " ".join(words[:-1])}) + "\n")
with open("choices.jsonl", "w") as out:
    for i, words in enumerate(lines):
        choices = [" ".join(words[4:7]), " ".join(reversed(words[4:7])), "no such words"]
        out.write(json.dumps({"query": " ".join(words[:4]), "choices": choices, "gold": 0}) + "\n")
P
cat >>settings.yaml <<'Y'
eval: {every_steps: 20, tasks: [words.jsonl, choices.jsonl], sample_every: 15, sample_prompts: ["the king", "every"], sample_tokens: 12}
checkpoint.every_steps: 15
Y
sed -i '/^eval.sequences/d; s/^run.steps.*/run.steps: 30\noptim.schedule: constant/; s/micro: 2/micro: 4/' settings.yaml

train 1 one
expect 0 "trained 30 steps" one
grep -q "task: words.jsonl is of lambada, 12 samples" one.log || fail "the task's kind is not told"
grep -q "tasks and written texts" one.log || fail "the memory of tasks and texts is not announced"
grep -q "step 20: words.jsonl: acc 0\.[0-9]*, perplexity" one.log || fail "no figures in the log"
grep -q "step 15: writes: the king" one.log || fail "no text in the log"
train 2 grid parallel.grid=2x1
expect 0 "trained 30 steps" grid
# Without a validation, and in two parts, the first of which ends where tasks are due.
sed 's/, val: "[^"]*"//' settings.yaml >no_val.yaml
mv no_val.yaml settings.yaml
train 2 parts run.steps=20
expect 0 "trained 20 steps" parts
train 2 parts
expect 0 "trained 10 steps" parts
"$GRIDGPT" evaluate one words.jsonl choices.jsonl --json >evaluate.json 2>log || fail "$(cat log)"
"$GRIDGPT" generate one --prompts <(printf '"the king"\n"every"\n') --tokens 12 --seed 1 --json >generate.json 2>log || fail "$(cat log)"

"$GG_TEST_PYTHON" - <<'P' || fail "metrics differ"
import json
lines = lambda name: [json.loads(line) for line in open(name)]
runs = {name: lines(f"{name}/metrics.jsonl") for name in ("one", "grid", "parts")}
for name, run in runs.items():
    assert [line["step"] for line in run] == list(range(31)), name
    assert [line["step"] for line in run if "tasks" in line] == [0, 20, 30], name
    assert [line["step"] for line in run if "texts" in line] == [15, 30], name
    assert [line["step"] for line in run if "val_loss" in line] == ([] if name == "parts" else [0, 20, 30]), name
    for line, first in zip(run, runs["one"]):
        for file, task in line.get("tasks", {}).items():
            other = first["tasks"][file]
            assert list(task) == list(other) and task["samples"] == 12
            for key in task:
                same = task[key] == other[key] if key != "perplexity" else abs(task[key] / other[key] - 1) < 1e-3
                assert same, (name, line["step"], file, key, task[key], other[key])
        assert [text["prompt"] for text in line.get("texts", [])] == ["the king", "every"][:2 * ("texts" in line)]
        assert line.get("texts") == first.get("texts"), (name, line["step"], line["texts"], first["texts"])
last = runs["one"][-1]
begin, end = (runs["one"][i]["tasks"]["words.jsonl"]["perplexity"] for i in (0, -1))
assert end < 0.7 * begin, (begin, end)
for result in lines("evaluate.json"):
    for key, value in last["tasks"][result["file"]].items():
        assert result[key] == value or abs(result[key] - value) <= 1e-6 * abs(value), (result, key, value)
assert [line["text"] for line in lines("generate.json")] == [text["text"] for text in last["texts"]]
P

printf '{"text": "a b"}\n{"texts": "a b"}\n' >bad.jsonl
train 1 bad "eval.tasks=[words.jsonl, bad.jsonl]"
expect 65 'eval.tasks: bad.jsonl: line 2: has no "text"; a line of lambada is {"text": TEXT}' bad
grep -q "memory per rank" bad.log && fail "a task is looked at after the memory"
true
