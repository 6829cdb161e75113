#!/usr/bin/env python3
"""GPT-2's training step in PyTorch, in one configuration, a step for every line that is asked for.

compare.py starts it and speaks with it; by hand:

    (echo step; echo step) | pytorch_step.py --weights CHECKPOINT --tokens SHARD --heads 12 --way compile

Weights and shapes are those of a checkpoint of gridgpt, tokens those of a shard that holds exactly the step's
sequences, so that every step takes the same ones. Lines on standard input, each answered by a JSON object:
    step   takes a step                                        {"seconds": ..., "loss": ...}
    rest   gives memory back that is kept for the next step    {"rested": true}
The first answer, unasked for, tells what is run. It ends where its input ends.

--ranks above 1 is data parallel over gloo: each rank takes its share of the sequences.
"""
import argparse
import contextlib
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time

import h5py
import hdf5plugin  # noqa: F401 (registers the shards' filter, 32015)
import torch
import torch.nn.functional as F
from torch import distributed, nn

WAYS = ("eager", "compile", "compile-cpp", "compile-autotune")


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x):
        sequences, time_, width = x.shape
        q, k, v = (part.view(sequences, time_, self.heads, width // self.heads).transpose(1, 2)
                   for part in self.c_attn(x).split(width, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(sequences, time_, width))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-5)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width, eps=1e-5)
        self.mlp = Mlp(width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt2(nn.Module):
    """Hugging Face's names, so that a checkpoint's tensors are found by name."""

    def __init__(self, layers, heads, width, context, vocab):
        super().__init__()
        self.wte = nn.Embedding(vocab, width)
        self.wpe = nn.Embedding(context, width)
        self.h = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.ln_f = nn.LayerNorm(width, eps=1e-5)

    def forward(self, inputs, targets):
        x = self.wte(inputs) + self.wpe.weight[:inputs.shape[1]]
        for block in self.h:
            x = block(x)
        logits = F.linear(self.ln_f(x), self.wte.weight)
        return F.cross_entropy(logits.float().view(-1, logits.shape[-1]), targets.view(-1))


def load_model(path, heads):
    """The model in a checkpoint of gridgpt, whose linear weights are (in, out)."""
    with h5py.File(path, "r") as file:
        tensors = {name.removeprefix("transformer."): torch.from_numpy(tensor[...])
                   for name, tensor in file["model"].items()}
    vocab, width = tensors["wte.weight"].shape
    layers = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("h."))
    model = Gpt2(layers, heads, width, tensors["wpe.weight"].shape[0], vocab)
    for name, tensor in tensors.items():
        if name.startswith("h.") and tensor.dim() == 2:
            tensors[name] = tensor.T.contiguous()
    model.load_state_dict(tensors)
    return model


def load_batch(path, context, rank, ranks):
    """Inputs and targets (sequences, context): all of the shard's windows, this rank's share of them."""
    with h5py.File(path, "r") as file:
        tokens = torch.from_numpy(file["tokens"][:].astype("int64"))
    sequences, left = divmod(len(tokens) - 1, context)
    if left != 0 or sequences % ranks != 0:
        sys.exit(f"{path}: {len(tokens)} tokens are not {ranks} x n sequences of {context}, and one token")
    share = slice(rank * sequences // ranks, (rank + 1) * sequences // ranks)
    inputs, targets = (part.view(sequences, context)[share].clone() for part in (tokens[:-1], tokens[1:]))
    return inputs, targets


class Trainer:
    def __init__(self, options, rank):
        self.options, self.ranks = options, options.ranks
        self.model = load_model(options.weights, options.heads)
        self.batch = load_batch(options.tokens, self.model.wpe.num_embeddings, rank, options.ranks)
        matrices = [p for p in self.model.parameters() if p.dim() == 2]
        vectors = [p for p in self.model.parameters() if p.dim() == 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": options.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
            lr=options.lr, betas=(options.beta1, options.beta2), eps=options.eps, fused=True)
        self.forward = self.model
        if self.ranks > 1:
            self.forward = nn.parallel.DistributedDataParallel(self.model, gradient_as_bucket_view=True)
        if options.way != "eager":
            self.forward = torch.compile(self.forward, options=self.compile_options(options.way))

    @staticmethod
    def compile_options(way):
        return {"compile-cpp": {"cpp_wrapper": True}, "compile-autotune": {"max_autotune": True}}.get(way, {})

    def autocast(self):
        return torch.autocast("cpu", dtype=torch.bfloat16) if self.options.precision == "bf16" else contextlib.nullcontext()

    def step(self):
        begin = time.perf_counter()
        with self.autocast():
            loss = self.forward(*self.batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        seconds = time.perf_counter() - begin
        loss = loss.detach()
        if self.ranks > 1:
            distributed.all_reduce(loss)
        return {"seconds": seconds, "loss": loss.item() / self.ranks}


def give_memory_back():
    """What the allocator keeps, so that another program has it in its turn."""
    program = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError):  # where jemalloc is preloaded; 4096 means all arenas
        program.mallctl(b"arena.4096.purge", None, None, None, ctypes.c_size_t(0))
    program.malloc_trim(0)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True, help="a checkpoint of gridgpt")
    parser.add_argument("--tokens", required=True, help="a shard of gridgpt with the tokens of one step")
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--way", choices=WAYS, default="eager")
    parser.add_argument("--threads", type=int, default=1, help="of a rank")
    parser.add_argument("--ranks", type=int, default=1)
    for name, value in (("lr", 6e-4), ("beta1", 0.9), ("beta2", 0.95), ("eps", 1e-8), ("weight-decay", 0.1),
                        ("clip", 1.0)):
        parser.add_argument("--" + name, type=float, default=value)
    return parser.parse_args()


def start_other_ranks(ranks, folder):
    """Runs this program as ranks 1 and up, each with standard input of ours, to meet in a file of that folder."""
    meeting = os.path.join(folder, "meeting")
    return [subprocess.Popen([sys.executable, *sys.argv], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                             env={**os.environ, "PEER_RANK": str(rank), "PEER_MEETING": meeting})
            for rank in range(1, ranks)], meeting


def main():
    options = read_options()
    rank, others, meeting = int(os.environ.get("PEER_RANK", 0)), [], os.environ.get("PEER_MEETING")
    torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("highest")
    if options.ranks > 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        if rank == 0:
            folder = tempfile.TemporaryDirectory(prefix="pytorch-step-")
            others, meeting = start_other_ranks(options.ranks, folder.name)
        distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=options.ranks)
    trainer = Trainer(options, rank)

    def answer(**values):
        print(json.dumps(values), flush=True)

    answer(torch=torch.__version__, way=options.way, threads=options.threads, ranks=options.ranks,
           precision=options.precision)
    for line in sys.stdin:
        for other in others:
            other.stdin.write(line)
            other.stdin.flush()
        if line.strip() == "step":
            answer(**trainer.step())
        elif line.strip() == "rest":
            give_memory_back()
            answer(rested=True)
        else:
            sys.exit(f"not 'step' or 'rest': {line.strip()}")
    for other in others:
        other.stdin.close()
        other.wait()
    if options.ranks > 1:
        distributed.destroy_process_group()


main()
