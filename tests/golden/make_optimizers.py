#!/usr/bin/env python3
"""Writes tests/golden/adamw.txt and sgd.txt: what torch.optim.AdamW and torch.optim.SGD (Nesterov) make of two small
tensors (one with decay, one without).

Run with any PyTorch (Debian's python3-torch 1.13 made the committed files):
    /usr/bin/python3 tests/golden/make_optimizers.py
Each line: step, tensor (0: with decay, 1: without), its elements. Weights and gradients are formulas, which
tests/core/optim/test_optimizers.c repeats.
"""
import math
import pathlib

import torch

COUNT = 37
STEPS = (1, 2, 10, 50)


def weight(tensor, i):
    return math.sin(0.7 * i + tensor)


def gradient(tensor, i, step):
    return math.cos(1.3 * i + step + tensor) * 10.0 ** (i % 5 - 3)


def write(name, make):
    tensors = [torch.tensor([weight(t, i) for i in range(COUNT)], dtype=torch.float32, requires_grad=True)
               for t in range(2)]
    optimizer = make([{"params": [tensors[0]], "weight_decay": 0.1}, {"params": [tensors[1]], "weight_decay": 0.0}])
    with open(pathlib.Path(__file__).parent / f"{name}.txt", "w") as out:
        for step in range(1, max(STEPS) + 1):
            for group in optimizer.param_groups:
                group["lr"] = 1e-2 / step
            for t, tensor in enumerate(tensors):
                tensor.grad = torch.tensor([gradient(t, i, step) for i in range(COUNT)], dtype=torch.float32)
            torch.nn.utils.clip_grad_norm_(tensors, 1.0)
            optimizer.step()
            if step in STEPS:
                for t, tensor in enumerate(tensors):
                    print(step, t, *("%.9g" % value for value in tensor.tolist()), file=out)


write("adamw", lambda groups: torch.optim.AdamW(groups, lr=1, betas=(0.9, 0.95), eps=1e-8))
write("sgd", lambda groups: torch.optim.SGD(groups, lr=1, momentum=0.9, nesterov=True))
