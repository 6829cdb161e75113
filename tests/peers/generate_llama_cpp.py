#!/usr/bin/env python3
"""Tokens/s of text from gridgpt beside llama.cpp: the same GPT-2 in the same precision, the same cores, in turns.

    python3 -m venv build/peers && CMAKE_ARGS=-DGGML_NATIVE=ON build/peers/bin/pip install --no-binary llama-cpp-python \
        llama-cpp-python numpy
    build/peers/bin/python tests/peers/generate_llama_cpp.py

llama.cpp is built for this machine's processor, as gridgpt is: that takes a C++ compiler and some minutes.

The work: GPT-2 124M with random weights, made as a Hugging Face folder, imported and handed out as GGUF, F32 or BF16, its
cache F32 or F16; texts of 16 tokens go on to 128, one at a time and eight at once. In a round each program has a turn, and
never do both run at once. gridgpt's turn is `bench --generate`, whose tokens are drawn; llama.cpp is asked for logits alone
and given the next tokens, which spares it the drawing. That both compute the same is tests/interop/test_llama_cpp.py's to say.
Exits with status 77 where llama_cpp cannot be imported.

Output: progress on standard error, then a Markdown table: medians, (spread), and the ratio of each round.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
os.environ.setdefault("GG_SOURCE", str(HERE.parents[1]))
sys.path.insert(0, str(HERE.parent / "jobs" / "use"))
BEGIN, END, BATCHES = 16, 128, (1, 8)
DTYPES = {"fp32": "fp32", "bf16": "bf16"}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def run(command, cores, **environment):
    done = subprocess.run([str(word) for word in command], env={**os.environ, **environment}, text=True, capture_output=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores))
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with status {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def write_models(gridgpt, folder, shape):
    """The GGUF file of each precision."""
    from random_folder import gpt2, write_folder
    config = gpt2(n_embd=shape["width"], n_inner=4 * shape["width"], n_layer=shape["layers"], n_head=shape["heads"],
                  n_positions=shape["context"])
    cores = os.sched_getaffinity(0)
    write_folder(str(folder / "hf"), config, None, shape["vocab"])
    run([gridgpt, "import", folder / "hf", "--out", folder / "model.h5"], cores, OMP_NUM_THREADS="1")
    for dtype in DTYPES.values():
        run([gridgpt, "export", folder / "model.h5", "--out", folder / f"{dtype}.gguf", "--format", "gguf", "--dtype", dtype],
            cores, OMP_NUM_THREADS="1")


def our_turn(options, precision, cores):
    """Tokens/s of each batch."""
    words = [f"model.{name}={value}" for name, value in options.shape.items()]
    out = run([options.gridgpt, "bench", *words, "model.preset=none", f"compute.precision={precision}",
               f"compute.threads={len(cores)}", "--generate", "--repeats", options.repeats, "--json"], cores)
    (result,) = json.loads(out)
    assert (result["from_position"], result["to_position"]) == (BEGIN, END), "another stretch of text"
    return [row["tokens_per_s"] for row in result["batches"]]


class LlamaCpp:
    """llama.cpp with a model, in a process of its own; each line it reads is a turn."""

    def __init__(self, options, precision, cores, path):
        command = [sys.executable, __file__, "--serve", path, "--threads", len(cores), "--precision", precision,
                   "--repeats", options.repeats]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True,
                                        preexec_fn=lambda: os.sched_setaffinity(0, cores))

    def turn(self):
        self.process.stdin.write("turn\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("llama.cpp ended without an answer")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def serve(options):
    import llama_cpp as lib
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(options.serve.encode(), lib.llama_model_default_params())
    params = lib.llama_context_default_params()
    texts = max(BATCHES)
    params.n_ctx, params.n_batch, params.n_seq_max = 2 * END * texts, 512, texts
    params.n_threads = params.n_threads_batch = options.threads
    params.type_k = params.type_v = 0 if options.precision[0] == "fp32" else 1  # GGML_TYPE_F32, F16
    context = lib.llama_init_from_model(model, params)
    batch = lib.llama_batch_init(BEGIN * texts, 0, 1)

    def decode(tokens):
        """(token, position, text, whether logits are wanted)"""
        batch.n_tokens = len(tokens)
        for i, (token, position, text, wanted) in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, position, 1, wanted
            batch.seq_id[i][0] = text
        if lib.llama_decode(context, batch) != 0:
            sys.exit("llama_decode failed")
        lib.llama_synchronize(context)

    def rate(count):
        lib.llama_memory_clear(lib.llama_get_memory(context), True)
        for text in range(count):
            decode([(7 * i + text, i, text, i == BEGIN - 1) for i in range(BEGIN)])
        begin = time.perf_counter()
        for position in range(BEGIN, END):
            decode([(position + text, position, text, True) for text in range(count)])
        return count * (END - BEGIN) / (time.perf_counter() - begin)

    for _ in sys.stdin:
        for count in BATCHES:
            rate(count)
        print(json.dumps([statistics.median(rate(count) for _ in range(options.repeats)) for count in BATCHES]), flush=True)


def compare(options, folder, precision, cores):
    """Rows of the table: one for each batch."""
    ours, theirs = [], []
    peer = LlamaCpp(options, precision, cores, folder / f"{DTYPES[precision]}.gguf")
    for number in range(options.rounds):
        ours.append(our_turn(options, precision, cores))
        theirs.append(peer.turn())
        say(f"{precision}, {len(cores)} thread(s), round {number + 1}: gridgpt", *(f"{x:.1f}" for x in ours[-1]), "llama.cpp",
            *(f"{x:.1f}" for x in theirs[-1]))
    peer.close()
    return [(precision, len(cores), texts, [turn[i] for turn in ours], [turn[i] for turn in theirs])
            for i, texts in enumerate(BATCHES)]


def describe(values):
    middle = statistics.median(values)
    return f"{middle:.1f} ({100 * (max(values) - min(values)) / middle:.1f}%)"


def print_table(rows):
    print("| precision | threads | texts | llama.cpp, tokens/s | gridgpt, tokens/s | ratio | of rounds |\n|---|---|---|---|---|---|---|")
    for precision, threads, texts, ours, theirs in rows:
        ratios = [a / b for a, b in zip(ours, theirs)]
        print(f"| {precision} | {threads} | {texts} | {describe(theirs)} | {describe(ours)} | "
              f"{statistics.median(ours) / statistics.median(theirs):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gridgpt", default=HERE.parents[1] / "build" / "release" / "gridgpt", help="the program")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="rows for so many (1 2)")
    parser.add_argument("--precision", nargs="+", choices=tuple(DTYPES), default=list(DTYPES))
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program (5)")
    parser.add_argument("--repeats", type=int, default=3, help="texts in a turn, of which the median counts (3)")
    for name, value in (("layers", 12), ("heads", 12), ("width", 768), ("context", 1024), ("vocab", 50257)):
        parser.add_argument("--" + name, type=int, default=value, help=f"{name} ({value})")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.shape = {name: getattr(options, name) for name in ("layers", "heads", "width", "context", "vocab")}
    return options


def main():
    try:
        import llama_cpp  # noqa: F401
    except ImportError as missing:
        say(f"skipped: {missing}; see --help")
        sys.exit(77)
    options = read_options()
    if options.serve:
        options.threads = options.threads[0]
        serve(options)
        return
    if shutil.which(options.gridgpt) is None:
        sys.exit(f"{options.gridgpt} is no program: build gridgpt, or name it with --gridgpt")
    available = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="gridgpt-peers-") as name:
        folder = pathlib.Path(name)
        write_models(options.gridgpt, folder, options.shape)
        print_table([row for threads in options.threads for precision in options.precision
                     for row in compare(options, folder, precision, set(available[:threads]))])


main()
