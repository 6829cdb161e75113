#!/usr/bin/env python3
"""Compares two builds of gridgpt bit by bit: the same settings, seeds and ranks must give the same losses and the
same tensors. For changes that are to change no result.

    build/venv/bin/python tests/peers/same_bits.py OLD/gridgpt NEW/gridgpt [--steps 20] [--only WORD]

Trains a small model with dropout on the King James Bible (bible-kjv) with each build on every layout below, in fp32
and bf16, and with each way to recompute; compares the columns loss and grad_norm of metrics.jsonl and every tensor
of the last checkpoint. The new build also goes on from the old one's checkpoint and reads its shards.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy

LAYOUTS = [(1, "1x1", 0), (2, "1x1", 0), (2, "2x1", 0), (2, "1x2", 0), (4, "2x2", 0), (2, "1x1", 1), (4, "2x1", 1)]
RECOMPUTE = ["none", "attention", "block"]
MODEL = ["model.layers=3", "model.heads=4", "model.width=128", "model.context=64", "model.dropout=0.1",
         "batch.sequences=8", "batch.micro=2", "optim.warmup=5", "eval.sequences=16", "checkpoint.async=false"]
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
               "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_btl": "self,vader"}


def run(words, **options):
    done = subprocess.run(words, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}")


def prepare(gridgpt, folder):
    text = subprocess.run("bible -f Gen1:1-Ps150:6 </dev/null | sed -E 's/^[0-9A-Za-z]+:[0-9]+ //' | head -n 6000",
                          shell=True, stdout=subprocess.PIPE, check=True).stdout
    (folder / "bible.txt").write_bytes(text)
    run([gridgpt, "tokenizer", "train", "--vocab", "1024", "--out", folder / "tokenizer.json", folder / "bible.txt"])
    run([gridgpt, "prepare", "--tokenizer", folder / "tokenizer.json", "--out", folder / "data",
         folder / "bible.txt"])


def train(gridgpt, folder, name, ranks, settings, steps):
    settings_file = folder / "settings.yaml"
    settings_file.write_text(f"data.train: {folder}/data/train-*.h5\ndata.val: {folder}/data/val-*.h5\n")
    run(["mpirun", "-n", str(ranks), gridgpt, "train", settings_file, f"run.dir={folder / name}",
         f"run.steps={steps}", *MODEL, *settings])


def columns(run_folder):
    lines = [json.loads(line) for line in (run_folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line.get("loss"), line.get("grad_norm"), line.get("val_loss")) for line in lines]


def newest(run_folder):
    return sorted((run_folder / "checkpoints").glob("step-*.h5"))[-1]


def tensors(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[...]})
                        if isinstance(item, h5py.Dataset) and name.split("/")[0] in ("model", "optimizer") else None)
    return found


def compare(old, new):
    """What differs between two runs; empty: nothing."""
    differences = []
    for a, b in zip(columns(old), columns(new), strict=True):
        if a != b:
            differences.append(f"step {a[0]}: {a[1:]} and {b[1:]}")
            break
    left, right = tensors(newest(old)), tensors(newest(new))
    if left.keys() != right.keys():
        differences.append(f"tensors {sorted(left.keys() ^ right.keys())}")
    for name in left.keys() & right.keys():
        if not numpy.array_equal(left[name].view(numpy.uint32), right[name].view(numpy.uint32)):
            differences.append(f"tensor {name}")
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gridgpt-bits-"))
    old, new = arguments.old.resolve(), arguments.new.resolve()
    prepare(old, folder)
    cases = [(ranks, grid, zero, precision, "none") for ranks, grid, zero in LAYOUTS for precision in ("fp32", "bf16")]
    cases += [(1, "1x1", 0, precision, recompute) for precision in ("fp32", "bf16") for recompute in RECOMPUTE[1:]]
    cases += [(2, "2x1", 0, precision, "block") for precision in ("fp32", "bf16")]
    failed = 0
    for ranks, grid, zero, precision, recompute in cases:
        name = f"{ranks}-{grid}-zero{zero}-{precision}-{recompute}"
        if arguments.only not in name:
            continue
        settings = [f"parallel.grid={grid}", f"parallel.zero={zero}", f"compute.precision={precision}",
                    f"compute.recompute={recompute}"]
        train(old, folder, f"old-{name}", ranks, settings, arguments.steps)
        train(new, folder, f"new-{name}", ranks, settings, arguments.steps)
        differences = compare(folder / f"old-{name}", folder / f"new-{name}")
        # Both go on from the old build's checkpoint.
        shutil.copytree(folder / f"old-{name}", folder / f"on-{name}")
        train(old, folder, f"old-{name}", ranks, settings, arguments.steps + 5)
        train(new, folder, f"on-{name}", ranks, settings, arguments.steps + 5)
        differences += [f"going on: {text}" for text in compare(folder / f"old-{name}", folder / f"on-{name}")]
        print(f"{name}: {'the same bits' if not differences else '; '.join(differences[:5])}", flush=True)
        failed += bool(differences)
    shutil.rmtree(folder)
    print("all the same" if not failed else f"{failed} differ")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
