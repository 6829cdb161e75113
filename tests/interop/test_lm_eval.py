"""Tasks by lm-evaluation-harness itself: the figures and the log-likelihoods that it makes of the model and the task files of
tests/golden/scores/, exported by gridgpt, are those of `gridgpt evaluate`.

`tests/run.sh interop` runs this with torch, transformers and lm_eval.
"""
import json
import os
import subprocess
import sys
import tempfile

from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

GRIDGPT, SOURCE = os.environ["GRIDGPT"], os.environ["GG_SOURCE"]
GOLDEN = f"{SOURCE}/tests/golden/scores"
MULTIPLE_CHOICE = {"output_type": "multiple_choice", "doc_to_choice": "choices",
                   "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}]}
TASKS = {  # as the harness' own of these names, over a file of ours
    "hellaswag": {**MULTIPLE_CHOICE, "doc_to_text": "{{query}}", "doc_to_target": "{{gold}}"},
    "multiple_choice": {**MULTIPLE_CHOICE, "doc_to_text": "{{query}}", "doc_to_target": "{{gold|int}}"},
    "lambada": {"output_type": "loglikelihood", "doc_to_text": "{{text.split(' ')[:-1]|join(' ')}}",
                "doc_to_target": "{{' '+text.split(' ')[-1]}}",
                "metric_list": [{"metric": "perplexity", "aggregation": "perplexity"}, {"metric": "acc"}]},
}


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"FAILED: {words}: status {done.returncode}: {done.stderr}")
    return done.stdout


def write_tasks():
    """The task files for the harness, whose reader of JSON wants a column to be of one type."""
    for kind, task in TASKS.items():
        with open(f"{GOLDEN}/{kind}.jsonl") as lines, open(f"{kind}.json", "w") as out:
            for line in map(json.loads, lines):
                out.write(json.dumps({k: str(v) if k in ("label", "gold") else v for k, v in line.items() if k != "ind"}) + "\n")
        about = {"task": f"own_{kind}", "dataset_path": "json", "validation_split": "validation",
                 "dataset_kwargs": {"data_files": {"validation": os.path.abspath(f"{kind}.json")}}, **task}
        with open(f"{kind}.yaml", "w") as out:
            json.dump(about, out)
            if kind == "hellaswag":  # YAML is JSON but for this
                out.seek(out.tell() - 1)
                out.write(', "process_docs": !function lm_eval.tasks.hellaswag.utils.process_docs}')


def harness():
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager
    tokenizer = PreTrainedTokenizerFast(tokenizer_file="model/tokenizer.json", eos_token="<|endoftext|>")
    model = HFLM(pretrained=AutoModelForCausalLM.from_pretrained("model"), tokenizer=tokenizer, batch_size=4, device="cpu",
                 dtype="float32")
    return lm_eval.simple_evaluate(model, tasks=[f"own_{kind}" for kind in TASKS], bootstrap_iters=0,
                                   task_manager=TaskManager(include_path=os.getcwd()))


def near(a, b):
    return abs(a - b) <= 2e-5 * max(1, abs(b))


def main():
    os.environ["HF_HUB_OFFLINE"] = "1"
    run(GRIDGPT, "import", f"{GOLDEN}/model", "--out", "model.h5")
    run(GRIDGPT, "export", "model.h5", "--out", "model")
    write_tasks()
    files = [f"{GOLDEN}/{kind}.jsonl" for kind in TASKS]
    ours = [json.loads(line) for line in
            run(GRIDGPT, "evaluate", "model.h5", *files, "--json", "--samples", "samples.jsonl").splitlines()]
    with open("samples.jsonl") as file:
        samples = [json.loads(line) for line in file]
    theirs = harness()
    for result in ours:
        kind = result["task"]
        figures = theirs["results"][f"own_{kind}"]
        for name in ("acc", "acc_norm", "perplexity"):
            if name in result:
                assert near(result[name], figures[f"{name},none"]), (kind, name, result[name], figures)
        of_kind = [s for s in samples if s["file"].endswith(f"/{kind}.jsonl")]
        for sample, other in zip(of_kind, sorted(theirs["samples"][f"own_{kind}"], key=lambda s: s["doc_id"]), strict=True):
            scores = [response[0] for response in other["resps"]]
            for i, (likelihood, greedy) in enumerate(scores):
                assert near(sample["log_likelihoods"][i], float(likelihood)), (kind, sample, scores)
                assert sample["greedy"][i] == (str(greedy) == "True"), (kind, sample, scores)
        print(f"ok      {kind}: {len(of_kind)} samples")


if len(sys.argv) == 1 or any(word in "lm_eval tasks" for word in sys.argv[1:]):
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
        os.chdir("/")
