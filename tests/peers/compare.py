#!/usr/bin/env python3
"""Tokens/s of gridgpt beside PyTorch: the same GPT-2, the same step, the same cores, in turns.

    python3 -m venv build/peers && build/peers/bin/pip install -r tests/peers/requirements.txt
    build/peers/bin/python tests/peers/compare.py

PyPI's torch for Linux brings CUDA's libraries along, several GB, of which nothing is used here. torch.compile wants a
C++ compiler. On two cores both programs together take about 20 GB.

The work: GPT-2 124M, 4 sequences of 1024 tokens a core; forward, mean cross-entropy, backward, clipping of the global
norm to 1, AdamW with the decay on matrices alone; fp32 is true fp32, bf16 is PyTorch's autocast. gridgpt writes its
initial weights as a checkpoint and the tokens as a shard, and PyTorch reads both. That it is the same work is checked,
on every way to run PyTorch and for every step that both take from the initial weights: losses must agree to 1e-4 of
themselves in fp32 and to 5e-3 in bf16, or this ends with status 1. gridgpt runs a rank on each core, one thread each.

PyTorch (pytorch_step.py) runs as it is fastest: of the ways below each is given two steps to warm up and two that
count, and the fastest takes part in the turns. A round is then a turn of each, and never do both run at once; each
begins with steps that do not count. Tried, in this order:
  eager or torch.compile                 --ways: also compile-cpp (inductor's C++ wrapper), compile-autotune
  malloc of glibc or of jemalloc         the latter where it is installed (Debian: libjemalloc2). Either is told to keep
                                         freed memory and to ask for huge pages; as they come, each step's page faults
                                         cost PyTorch up to a quarter of its time
  threads of one process, or DDP         on two cores and more; DDP over gloo, a process and thread on each core
What has been tried besides, and brought nothing on AVX-512 cores with AMX (PyTorch 2.15): padding the vocabulary to
50304 with the logits cut back to 50257 (the eager step's softmax copies them, compiled it is the same); inductor's C++
wrapper (within 3%); tcmalloc (as glibc with the settings here).
Gradients are set to None after the step, the loss is read when the clock has stopped.

Output: progress on standard error, then a Markdown table, or with --json an object with every step's seconds.
"""
import argparse
import ctypes.util
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = {"fp32": 1e-4, "bf16": 5e-3}  # of losses, relative
WARM_UP = 2  # steps of PyTorch that do not count, in each turn; gridgpt's bench takes one
TRIAL_STEPS = 2
OPTIMIZER = {"lr": 6e-4, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "weight_decay": 0.1, "clip": 1.0}

KEEP_MEMORY = "glibc.malloc.mmap_threshold=1099511627776:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.hugetlb=1"
JEMALLOC = ctypes.util.find_library("jemalloc")
ALLOCATORS = {"glibc": {"GLIBC_TUNABLES": KEEP_MEMORY}}
if JEMALLOC:
    ALLOCATORS["jemalloc"] = {"LD_PRELOAD": JEMALLOC, "MALLOC_CONF": "thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1"}


class Failure(Exception):
    """Told to the user as it is."""


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def run(command, cores, environment):
    """Standard output of a program on those cores."""
    done = subprocess.run([str(word) for word in command], env={**os.environ, **environment}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores))
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\nended with status {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


class Gridgpt:
    """gridgpt, and what it makes for both: the tokens of a step and the weights before the first."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.library = None
        self.shards = {}
        self.environment = {"OMP_NUM_THREADS": "1"}
        for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"):
            self.environment[name] = "1"

    def settings(self, sequences):
        o = self.options
        words = [f"model.{name}={getattr(o, name)}" for name in ("layers", "heads", "width", "context", "vocab")]
        words += [f"optim.{name}={value}" for name, value in OPTIMIZER.items() if name != "lr"]
        return words + ["model.dropout=0", f"batch.sequences={sequences}", f"batch.micro={o.sequences}",
                        f"data.train={self.shard(sequences)}", "optim.warmup=0", "optim.schedule=constant"]

    def shard(self, sequences):
        """A shard of exactly one step's tokens: a byte of text is a token, and the document's end is one. So every
        step takes all of it, in whatever order, and PyTorch needs to know nothing of the order of samples."""
        if sequences in self.shards:
            return self.shards[sequences]
        letters = random.Random(sequences)
        text, data = self.folder / f"{sequences}.txt", self.folder / f"tokens-{sequences}"
        text.write_text("".join(letters.choices("abcdefghijklmnopqrstuvwxyz ", k=sequences * self.options.context - 1))
                        + ".")
        tokenizer = self.folder / "tokenizer.json"
        cores, program = os.sched_getaffinity(0), self.options.gridgpt
        if not tokenizer.exists():
            run([program, "tokenizer", "train", "--vocab", 257, "--out", tokenizer, text], cores, self.environment)
        run([program, "prepare", "--tokenizer", tokenizer, "--val", 0, "--out", data, text], cores, self.environment)
        self.shards[sequences] = data / "train-00000.h5"
        return self.shards[sequences]

    def weights(self):
        """The initial weights: those after a step of learning rate 0."""
        path = self.folder / "initial" / "checkpoints" / "step-00000001.h5"
        if not path.exists():
            run([self.options.gridgpt, "train", "/dev/null", *self.settings(self.options.sequences), "optim.lr=0",
                 "optim.min_lr=0", "run.steps=1", "checkpoint.async=false", f"run.dir={self.folder / 'initial'}"],
                os.sched_getaffinity(0), self.environment)
        return path

    def turn(self, precision, cores, steps):
        """Seconds of those steps, and losses of all from the first."""
        command = [self.options.gridgpt, "bench", *self.settings(self.options.sequences * len(cores)),
                   f"optim.lr={OPTIMIZER['lr']}", f"compute.precision={precision}", "compute.threads=1",
                   *self.options.settings, "--repeats", steps, "--json"]
        if len(cores) > 1:
            command = [self.options.mpirun, "-n", len(cores), "--bind-to", "none", *command]
        result = json.loads(run(command, cores, self.environment))[0]
        self.library = result["matmul"]
        return result["steps_s"], result["losses"]


class Peer:
    """PyTorch in one configuration; a process that waits for its turns."""

    def __init__(self, options, gridgpt, precision, cores, way, allocator, ranks):
        self.losses = []
        self.errors = tempfile.TemporaryFile("w+")
        threads = len(cores) // ranks
        command = [sys.executable, HERE / "pytorch_step.py", "--weights", gridgpt.weights(),
                   "--tokens", gridgpt.shard(options.sequences * len(cores)), "--heads", options.heads,
                   "--precision", precision, "--way", way, "--threads", threads, "--ranks", ranks]
        for name, value in OPTIMIZER.items():
            command += ["--" + name.replace("_", "-"), value]
        environment = {**os.environ, **ALLOCATORS[allocator], "OMP_NUM_THREADS": str(threads),
                       "CUDA_VISIBLE_DEVICES": "", "TORCHINDUCTOR_CACHE_DIR": str(gridgpt.folder / "inductor")}
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, env=environment,
                                        preexec_fn=lambda: os.sched_setaffinity(0, cores))
        self.version = self.answer()["torch"]

    def answer(self):
        line = self.process.stdout.readline()
        if line == "":
            self.errors.seek(0)
            raise Failure(f"pytorch_step.py ended with status {self.process.wait()}: {self.errors.read()[-2000:]}")
        return json.loads(line)

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self.answer()

    def turn(self, steps):
        answers = [self.ask("step") for _ in range(WARM_UP + steps)]
        self.losses += [answer["loss"] for answer in answers]
        return [answer["seconds"] for answer in answers[WARM_UP:]]

    def rest(self):
        self.ask("rest")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def check_losses(what, precision, ours, theirs):
    """Every step that both took from the initial weights."""
    for step, (a, b) in enumerate(zip(ours, theirs), 1):
        if not abs(a - b) <= TOLERANCE[precision] * abs(a):
            raise Failure(f"not the same work: the loss of step {step} in {precision} is {a:.7f} in gridgpt and "
                          f"{b:.7f} in PyTorch ({what}), which is {abs(a / b - 1):.1e} apart; "
                          f"{TOLERANCE[precision]:.0e} is allowed")


def describe(way, allocator, ranks, threads):
    if ranks > 1:
        processes = f"DDP of {ranks} x {threads} threads" if threads > 1 else f"DDP of {ranks} processes"
    else:
        processes = f"{threads} threads" if threads > 1 else "1 thread"
    return f"{way}, {allocator}, {processes}"


def try_ways(options, gridgpt, precision, cores, our_losses):
    """The fastest configuration of PyTorch, and what each took: one choice after the other."""
    tried = {}

    def seconds(way, allocator, ranks):
        name = describe(way, allocator, ranks, len(cores) // ranks)
        if name not in tried:
            try:
                with Peer(options, gridgpt, precision, cores, way, allocator, ranks) as peer:
                    tried[name] = statistics.median(peer.turn(TRIAL_STEPS))
            except Failure as failure:
                if way == "eager":
                    raise
                say(f"  PyTorch {name}: does not run here: {failure}")
                tried[name] = None
            else:
                check_losses(name, precision, our_losses, peer.losses)
                say(f"  PyTorch {name}: {tried[name]:.3f} s")
        return tried[name] or float("inf")

    way = min(options.ways, key=lambda way: seconds(way, "glibc", 1))
    allocator = min(ALLOCATORS, key=lambda allocator: seconds(way, allocator, 1))
    ranks = min({1, len(cores)}, key=lambda ranks: seconds(way, allocator, ranks))
    return (way, allocator, ranks), tried


def spread(seconds):
    return (max(seconds) - min(seconds)) / statistics.median(seconds)


def compare(options, gridgpt, precision, cores):
    """A row of the table."""
    say(f"{precision}, {len(cores)} core(s)")
    ours, losses = gridgpt.turn(precision, cores, TRIAL_STEPS + WARM_UP - 1)
    say(f"  gridgpt: {statistics.median(ours):.3f} s, first loss {losses[0]:.6f}")
    best, tried = try_ways(options, gridgpt, precision, cores, losses)
    ours, theirs, rounds = [], [], []
    with Peer(options, gridgpt, precision, cores, *best) as peer:
        for number in range(options.rounds):
            seconds, losses = gridgpt.turn(precision, cores, options.steps)
            ours += seconds
            theirs += peer.turn(options.steps)
            peer.rest()
            rounds.append(statistics.median(theirs[-options.steps:]) / statistics.median(seconds))
            check_losses("in turns", precision, losses, peer.losses)
            say(f"  round {number + 1}: gridgpt {statistics.median(seconds):.3f} s, "
                f"PyTorch {statistics.median(theirs[-options.steps:]):.3f} s, ratio {rounds[-1]:.3f}")
        version = peer.version
    tokens = options.sequences * len(cores) * options.context
    ratio = statistics.median(theirs) / statistics.median(ours)
    return {"precision": precision, "cores": len(cores), "tokens": tokens, "torch": version,
            "pytorch": describe(*best, len(cores) // best[2]), "pytorch_tried_s": tried,
            "gridgpt": f"{len(cores)} rank" + ("s" if len(cores) > 1 else ""), "matmul": gridgpt.library,
            "first_loss": {"gridgpt": losses[0], "pytorch": peer.losses[0]},
            "gridgpt_steps_s": ours, "pytorch_steps_s": theirs, "ratio": ratio, "ratio_of_rounds": rounds}


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "an unnamed processor"


def print_table(options, rows):
    first = rows[0]
    print(f"{processor()}; {options.layers} layers, width {options.width}, {options.sequences} x {options.context} "
          f"tokens a core; gridgpt on {first['matmul']}, PyTorch {first['torch']}; medians of "
          f"{options.rounds * options.steps} steps in {options.rounds} turns, (spread), ratios of rounds\n")
    print("| cores | precision | PyTorch, tokens/s | its fastest way | gridgpt, tokens/s | ratio | of rounds |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        rates = {name: f"{row['tokens'] / statistics.median(row[name + '_steps_s']):.1f} "
                       f"({100 * spread(row[name + '_steps_s']):.1f}%)" for name in ("pytorch", "gridgpt")}
        print(f"| {row['cores']} | {row['precision']} | {rates['pytorch']} | {row['pytorch']} | {rates['gridgpt']} | "
              f"{row['ratio']:.2f} | {min(row['ratio_of_rounds']):.2f} to {max(row['ratio_of_rounds']):.2f} |")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gridgpt", default=HERE.parents[1] / "build" / "release" / "gridgpt", help="the program")
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2], metavar="N", help="rows for so many (1 2)")
    parser.add_argument("--precision", nargs="+", choices=tuple(TOLERANCE), default=list(TOLERANCE))
    parser.add_argument("--ways", nargs="+", choices=("eager", "compile", "compile-cpp", "compile-autotune"),
                        default=["eager", "compile"])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program (5)")
    parser.add_argument("--steps", type=int, default=2, help="that count, in each turn (2)")
    for name, value, what in (("layers", 12, ""), ("heads", 12, ""), ("width", 768, ""), ("context", 1024, ""),
                              ("vocab", 50257, ", 257 and more"), ("sequences", 4, " of a core, a step")):
        parser.add_argument("--" + name, type=int, default=value, help=f"{name}{what} ({value})")
    parser.add_argument("--json", action="store_true", help="print an object instead of the table")
    parser.add_argument("--settings", nargs="+", default=[], metavar="NAME=VALUE", help="of gridgpt, for its steps")
    options = parser.parse_args()
    if shutil.which(options.gridgpt) is None:
        parser.error(f"{options.gridgpt} is no program: build gridgpt, or name it with --gridgpt")
    if max(options.cores) > len(os.sched_getaffinity(0)):
        parser.error(f"--cores: {max(options.cores)} are wanted, but only {len(os.sched_getaffinity(0))} are there")
    return options


def main():
    options = read_options()
    available = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="gridgpt-peers-") as folder:
        gridgpt = Gridgpt(options, pathlib.Path(folder))
        rows = [compare(options, gridgpt, precision, set(available[:cores]))
                for cores in options.cores for precision in options.precision]
    if options.json:
        print(json.dumps({"processor": processor(), "model": {name: getattr(options, name) for name in (
            "layers", "heads", "width", "context", "vocab", "sequences")}, "rows": rows}))
    else:
        print_table(options, rows)


try:
    main()
except Failure as failure:
    sys.exit(f"compare.py: {failure}")
