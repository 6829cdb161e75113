"""Runs gridgpt's commands on tiny inputs again and again, each time with another allocation that fails
(fail_malloc.c), and sees that they end in good order: by themselves, with a right status and a message, without a
crash in our own code, and with nothing half-written under a final name.

  fail_memory.py --class ours|libraries|mappings [--every N | --places K] [--commands a,b] [--rest] [--jobs J] [--only N]
  fail_memory.py --limits FROM TO STEP [--commands a,b] [--jobs J]

Of the allocations of that class (mappings: memory from the kernel itself, for code that is made above all) each one
fails once, or every N-th, or K that are spread evenly. With --rest all that follow fail too, as behind a limit.
With --limits nothing is made to fail, but the address space is limited to so many MB (ulimit -v): then what the
kernel itself refuses fails too, stacks of threads and code that is made. The whole sweep, an hour of two cores, in
a folder where the tests' tiny corpus lies (test_fail_memory.sh makes it there, and gives the environment):

  fail_memory.py --class ours; fail_memory.py --class libraries --places 200; fail_memory.py --class mappings
  fail_memory.py --class libraries --places 200 --offset 7 --rest; fail_memory.py --limits 100 600 2

Findings are told apart by whose code they are in. A crash within a library counts as a failure only with --strict:
those that the program cannot prevent are told, with their number.
"""
import argparse
import collections
import concurrent.futures
import glob
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

GRIDGPT, PRELOAD = os.environ["GRIDGPT"], os.environ["GG_FAIL_MALLOC"]
HERE = os.getcwd()
TIMEOUT = 120
SMALL = ("model.layers=1 model.width=16 model.heads=1 model.context=16 batch.sequences=4 batch.micro=2 "
         "eval.sequences=2 checkpoint.every_steps=1").split()
OK, RESOURCE = 0, 71
CLASSES = ["ours", "libraries", "mappings"]
# Below what MPI needs to start, it ends in its own words with 1; before that the loader of programs does, with 127.
STATUSES = {"ours": {OK, RESOURCE}, "libraries": {OK, RESOURCE}, "mappings": {OK, RESOURCE}, "limit": {OK, RESOURCE, 1, 127}}


class Command:
    """words: the command line; begins_with: a folder that is copied to its scratch folder first; said: what of
    its standard output must be as in a run without failures; makes: a file that is there at a good end."""

    def __init__(self, *words, begins_with=None, said="(?s).*", makes=None):
        self.words, self.begins_with, self.said, self.makes = words, begins_with, said, makes


def train(steps, *more, **rest):
    last = f"run/checkpoints/step-{steps:08d}.h5"
    return Command("train", "settings.yaml", "run.dir=run", f"run.steps={steps}", *SMALL, *more, said="trained [0-9]+ steps",
                   makes=last, **rest)


COMMANDS = {
    "train": train(3),
    "train_bf16": train(2, "compute.precision=bf16", "compute.fallback=fp32"),
    "resume": train(3, begins_with="model"),
    "prepare": Command("prepare", "--tokenizer", "tokenizer.json", "--val", "0.1", "--out", "prepared", "text.txt", said="",
                       makes="prepared/train-00000.h5"),
    "tokenizer_train": Command("tokenizer", "train", "--vocab", "280", "--out", "new.json", "text.txt", said="",
                               makes="new.json"),
    "evaluate": Command("evaluate", "model/checkpoints/step-00000002.h5", "--data", "data/val-00000.h5", "--sequences", "2",
                        "--json", said='"loss": [^,]*'),
    "generate": Command("generate", "model/checkpoints/step-00000002.h5", "--prompt", "the", "--tokens", "3", "--seed", "1"),
    "generate_bf16": Command("generate", "model/checkpoints/step-00000002.h5", "--prompt", "the", "--tokens", "3", "--seed",
                             "1", "--precision", "bf16"),
    "inspect": Command("inspect", "--verify", "--tensors", "model/checkpoints/step-00000002.h5"),
    "import": Command("import", os.environ["GG_SOURCE"] + "/tests/golden/huggingface/llama", "--out", "new.h5", said="",
                      makes="new.h5"),
    "export": Command("export", "model/checkpoints/step-00000002.h5", "--out", "new", said="", makes="new/model.safetensors"),
    "inspect_shard": Command("inspect", "--verify", "data/val-00000.h5"),
}
INPUTS = ["settings.yaml", "text.txt", "tokenizer.json", "data", "model"]


class Run:
    """One run in a scratch folder, its end and what it left there."""

    def __init__(self, command, kind="ours", number=0, rest=False):
        self.folder = tempfile.mkdtemp(prefix="fail-", dir=HERE)
        for name in INPUTS:
            if os.path.exists(f"{HERE}/{name}"):
                os.symlink(f"{HERE}/{name}", f"{self.folder}/{name}")
        if command.begins_with:
            shutil.copytree(f"{HERE}/{command.begins_with}", f"{self.folder}/run")
        environment = dict(os.environ, LD_PRELOAD=PRELOAD, GG_FAIL_CLASS=kind,
                           GG_FAIL_NTH=str(0 if kind == "limit" else number),
                           GG_FAIL_REPORT=f"{self.folder}/report", OMPI_MCA_opal_signal="", OMP_NUM_THREADS="1")
        if rest:
            environment["GG_FAIL_REST"] = "1"
        limit = None
        if kind == "limit":
            limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (number << 20, number << 20))
        child = subprocess.Popen([GRIDGPT, *command.words], cwd=self.folder, env=environment, start_new_session=True, preexec_fn=limit,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.out, self.err = child.communicate(timeout=TIMEOUT)
            self.status = child.returncode
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            self.out, self.err = child.communicate()
            self.status = None
        try:
            with open(f"{self.folder}/report") as file:
                self.report = file.read()
        except FileNotFoundError:
            self.report = ""

    def counted(self):
        return [int(n) for n in re.search(r"^counted (\d+) (\d+) (\d+)$", self.report, re.M).groups()]

    def crashed_in(self):
        found = re.search(r"^crashed (\d+) in (.*)$", self.report, re.M)
        return found.group(2) if found else "?"

    def said(self, command):
        return re.findall(command.said.encode(), self.out)

    def remove(self):
        shutil.rmtree(self.folder)


known_good = set()  # digests of files that were verified


def check_file(path):
    """None, or what is wrong with a file of a final name."""
    with open(path, "rb") as file:
        data = file.read()
    digest = hashlib.sha256(data).hexdigest()
    if digest in known_good:
        return None
    try:
        if path.endswith(".h5"):
            looked = subprocess.run([GRIDGPT, "inspect", "--verify", path], capture_output=True, text=True)
            if looked.returncode != 0:
                return f"{path}: {looked.stderr.strip()}"
        elif path.endswith(".jsonl"):
            for line in data.decode().splitlines():
                json.loads(line)
        elif path.endswith(".json"):
            json.loads(data)
        elif path.endswith("run/settings.yaml"):
            looked = subprocess.run([GRIDGPT, "settings", path], capture_output=True, text=True)
            if looked.returncode != 0 or not data.endswith(b"\n"):
                return f"{path}: {looked.stderr.strip()}"
    except ValueError as error:
        return f"{path}: {error}"
    known_good.add(digest)
    return None


def left_files(folder):
    for name in ["run", "prepared", "new.json"]:
        yield from (p for p in glob.glob(f"{folder}/{name}/**", recursive=True) if os.path.isfile(p))
        if os.path.isfile(f"{folder}/{name}"):
            yield f"{folder}/{name}"


def judge(run, command, good, kind):
    """(what is wrong or None, in whose code)."""
    if run.status is None:
        return "hangs", "?"
    for path in left_files(run.folder):
        if path.endswith(".damaged"):
            return f"a good file was set aside: {path}", "gridgpt"
        if not path.endswith(".tmp"):
            wrong = check_file(path)
            if wrong:
                return wrong, "gridgpt"
    if run.status < 0:
        return f"killed by signal {-run.status}", run.crashed_in()
    if run.status not in STATUSES[kind]:
        return f"status {run.status}", "gridgpt"
    if run.status != OK and not run.err.strip():
        return f"status {run.status} without a word", "gridgpt"
    if run.status == OK:
        if run.said(command) != good:
            return f"another output: {run.out!r}", "gridgpt"
        if command.makes and not os.path.exists(f"{run.folder}/{command.makes}"):
            return f"status 0 without {command.makes}", "gridgpt"
    return None, None


def last_words(run):
    lines = run.err.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def sweep(name, options):
    """Fails one allocation after the other; returns how many runs ended badly."""
    command = COMMANDS[name]
    first = Run(command)
    if first.status != OK:
        sys.exit(f"{name} without failures: status {first.status}\n{first.err.decode()}{first.report}")
    counted = first.counted()[CLASSES.index(options.kind)] if options.kind in CLASSES else 0
    good = first.said(command)
    first.remove()
    step = max(1, counted // options.places) if options.places else options.every
    numbers = [options.only] if options.only else range(1 + (options.offset % step), counted + 1, step)
    if options.limits:
        numbers = range(*options.limits)
    ends, messages, findings = collections.Counter(), collections.Counter(), collections.Counter()
    examples = {}

    def one(number):
        run = Run(command, options.kind, number, options.rest)
        wrong, where = judge(run, command, good, options.kind)
        return number, run, wrong, where

    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for number, run, wrong, where in pool.map(one, numbers):
            ends[run.status] += 1
            if run.status not in (OK, None):
                messages[(run.status, re.sub(r"\(\d+ bytes\)|fail-\w+", "(...)", last_words(run)))] += 1
            if wrong:
                kind = (re.sub(r"/\S*/fail-\w+/", "", wrong), where)
                findings[kind] += 1
                examples.setdefault(kind, (number, run.report, last_words(run)))
                # A crash within a library that has no memory is its own; everything else is ours to mend.
                bad += where in ("gridgpt", "?") or options.strict
            run.remove()
    told = ", ".join(f"{count} x {'hang' if status is None else status}" for status, count in ends.most_common())
    what = "limits" if options.limits else f"{counted} allocations of {options.kind}"
    print(f"{name}: {what}, {sum(ends.values())} runs: {told}", flush=True)
    if options.messages:
        for (status, text), count in messages.most_common(40):
            print(f"    {count} x {status}: {text}")
    for kind, count in findings.most_common():
        number, report, words = examples[kind]
        print(f"  {count} x {kind[0]} (in {kind[1]}), such as number {number}: {words}")
        if options.messages or kind[1] == "gridgpt":
            print("    " + report.replace("\n", "\n    "))
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--class", dest="kind", choices=CLASSES, default="ours")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--places", type=int, default=0)
    parser.add_argument("--offset", type=int, default=0, help="where the first one of --every or --places stands")
    parser.add_argument("--only", type=int, default=0)
    parser.add_argument("--commands", default=",".join(COMMANDS))
    parser.add_argument("--rest", action="store_true")
    parser.add_argument("--strict", action="store_true", help="crashes in libraries count too")
    parser.add_argument("--messages", action="store_true", help="tell the last words of the runs")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limits", type=int, nargs=3)
    options = parser.parse_args()
    if options.limits:
        options.kind = "limit"
    if not os.path.exists("model"):
        model = train(2)
        subprocess.run([GRIDGPT, *(w.replace("run.dir=run", "run.dir=model") for w in model.words)], check=True,
                       stdout=subprocess.DEVNULL)
    bad = sum(sweep(name, options) for name in options.commands.split(","))
    if bad:
        sys.exit(f"{bad} runs did not end in good order")


main()
