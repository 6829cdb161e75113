#!/usr/bin/env python3
"""Writes gpt2_tiny.f32: what PyTorch computes for a tiny GPT-2, for tests/core/model/test_gpt_golden.c.

Run with Debian's python3-torch: /usr/bin/python3 tests/golden/make_model_golden.py
The file is little-endian float32, tensors in the order of gg_gpt_parameters():
  weights; inputs (B, T); targets (B, T); loss weights (B, T);
  mean loss; gradients of the mean loss; weighted loss sum; gradients of 0.01 * weighted loss sum;
  losses before each of 20 AdamW steps (lr 1e-3, betas 0.9 0.95, eps 1e-8, decay 0.1 of matrices, clip 1.0);
  weights after them.
"""
import math
import pathlib
import struct

import torch
import torch.nn.functional as F

LAYERS, HEADS, WIDTH, CONTEXT, VOCAB, BATCH = 2, 3, 24, 20, 101, 3
torch.manual_seed(20260)
torch.set_default_dtype(torch.float64)


def names():
    yield "wte", (VOCAB, WIDTH)
    yield "wpe", (CONTEXT, WIDTH)
    for i in range(LAYERS):
        yield f"{i}.ln_1.w", (WIDTH,)
        yield f"{i}.ln_1.b", (WIDTH,)
        yield f"{i}.attn.w", (WIDTH, 3 * WIDTH)
        yield f"{i}.attn.b", (3 * WIDTH,)
        yield f"{i}.proj.w", (WIDTH, WIDTH)
        yield f"{i}.proj.b", (WIDTH,)
        yield f"{i}.ln_2.w", (WIDTH,)
        yield f"{i}.ln_2.b", (WIDTH,)
        yield f"{i}.fc.w", (WIDTH, 4 * WIDTH)
        yield f"{i}.fc.b", (4 * WIDTH,)
        yield f"{i}.mlp.w", (4 * WIDTH, WIDTH)
        yield f"{i}.mlp.b", (WIDTH,)
    yield "ln_f.w", (WIDTH,)
    yield "ln_f.b", (WIDTH,)


# Larger than GPT-2's initial weights, so that every part of the model matters to the loss; exact in float32.
weights = {n: (torch.randn(s) * 0.2 + (1.0 if "ln" in n and n.endswith("w") else 0.0)).float().double()
           for n, s in names()}
inputs = torch.randint(0, VOCAB, (BATCH, CONTEXT))
targets = torch.randint(0, VOCAB, (BATCH, CONTEXT))
loss_weights = torch.rand(BATCH, CONTEXT).float().double()


def forward(p):
    x = p["wte"][inputs] + p["wpe"]
    for i in range(LAYERS):
        n = F.layer_norm(x, (WIDTH,), p[f"{i}.ln_1.w"], p[f"{i}.ln_1.b"], 1e-5)
        qkv = n @ p[f"{i}.attn.w"] + p[f"{i}.attn.b"]
        q, k, v = (t.view(BATCH, CONTEXT, HEADS, WIDTH // HEADS).transpose(1, 2) for t in qkv.split(WIDTH, -1))
        scores = q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS)
        mask = torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).tril()
        probabilities = scores.masked_fill(~mask, -math.inf).softmax(-1)
        attended = (probabilities @ v).transpose(1, 2).reshape(BATCH, CONTEXT, WIDTH)
        x = x + attended @ p[f"{i}.proj.w"] + p[f"{i}.proj.b"]
        n = F.layer_norm(x, (WIDTH,), p[f"{i}.ln_2.w"], p[f"{i}.ln_2.b"], 1e-5)
        hidden = n @ p[f"{i}.fc.w"] + p[f"{i}.fc.b"]
        gelu = 0.5 * hidden * (1 + torch.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)))
        x = x + gelu @ p[f"{i}.mlp.w"] + p[f"{i}.mlp.b"]
    x = F.layer_norm(x, (WIDTH,), p["ln_f.w"], p["ln_f.b"], 1e-5)
    logits = x @ p["wte"].T
    return F.cross_entropy(logits.view(-1, VOCAB), targets.view(-1), reduction="none").view(BATCH, CONTEXT)


out = bytearray()


def put(tensor):
    values = torch.as_tensor(tensor).detach().double().reshape(-1).tolist()
    out.extend(struct.pack(f"<{len(values)}f", *values))


def parameters():
    return {n: w.clone().requires_grad_() for n, w in weights.items()}


for w in weights.values():
    put(w)
for t in (inputs, targets, loss_weights):
    put(t)

p = parameters()
loss = forward(p).mean()
loss.backward()
put(loss)
for w in p.values():
    put(w.grad)

p = parameters()
loss = (forward(p) * loss_weights).sum()
(0.01 * loss).backward()
put(loss)
for w in p.values():
    put(w.grad)

p = parameters()
optimizer = torch.optim.AdamW(
    [{"params": [w for w in p.values() if w.dim() == 2], "weight_decay": 0.1},
     {"params": [w for w in p.values() if w.dim() == 1], "weight_decay": 0.0}],
    lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
losses = []
for _ in range(20):
    loss = forward(p).mean()
    losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(list(p.values()), 1.0)
    optimizer.step()
put(losses)
for w in p.values():
    put(w)

path = pathlib.Path(__file__).with_name("gpt2_tiny.f32")
path.write_bytes(out)
print(path, len(out), "bytes; losses", losses[0], losses[-1])
