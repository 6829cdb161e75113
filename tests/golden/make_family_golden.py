#!/usr/bin/env python3
"""Writes family/*.golden: what PyTorch computes in float64 for tiny models of GPT's family, for
tests/core/model/test_family_golden.c. The models are written out below from the papers.

    python3 tests/golden/make_family_golden.py            with any PyTorch: writes the files
    python3 tests/golden/make_family_golden.py --check    also needs transformers: compares this page's models with
                                                          transformers' (loss, gradients), and float32 with float64

A file begins with lines of text:

    settings KEY=VALUE ...      what makes the model, beside the defaults
    tensors COUNT
    NAME ROWS COLUMNS SKIP_FROM SKIP_TO     COUNT times; columns [SKIP_FROM, SKIP_TO) are not in the sums
    values COUNT

and ends with so many little-endian float32:

    mean loss
    losses before each of STEPS AdamW steps (lr 1e-3, betas 0.9 0.95, eps 1e-8, decay 0.1 of matrices, clip 1.0)
    per tensor: gradient of the mean loss; then, of the weights after those steps, sum and sum of squares

Initial weights and tokens are not stored: uniform() below makes them of a name and an index, and so does the C test.
"""
import argparse
import contextlib
import math
import pathlib
import struct

import torch
import torch.nn.functional as F

BATCH, STEPS = 2, 20
FLOAT32 = torch.float32
torch.set_default_dtype(torch.float64)

# The knobs of a variant are settings model.*; these are what a variant leaves out. A variant that names a preset
# tells its sizes besides: what else it says here is what the preset must say.
DEFAULTS = dict(norm="layernorm", norm_eps=1e-5, norm_place="pre", activation="gelu_tanh", positions="learned",
                rope_theta=10000.0, attention="dense", window=0, kv_heads=0, head_size=0, qk_norm=False, tied=True,
                biases=True)
SIZES = dict(layers=2, heads=2, width=12, context=16, mlp_width=18, vocab=37)
LLAMA = dict(norm="rmsnorm", positions="rotary", activation="swiglu", biases=False, heads=4, kv_heads=2, width=16,
             norm_eps=1e-6)
QWEN3 = dict(LLAMA, qk_norm=True, head_size=6, rope_theta=1e6)
TOLD_BESIDE_PRESET = {"preset", "window", "kv_heads", "head_size", *SIZES}
VARIANTS = {
    "gpt1": dict(norm_place="post", preset="gpt1"),
    "gpt2": dict(preset="gpt2-124m"),
    "gpt3": dict(attention="alternating", window=5, layers=3, preset="gpt3-small"),
    "llama": dict(LLAMA, norm_eps=1e-5, tied=False, preset="llama-124m"),
    "llama-tied": dict(LLAMA),
    "mistral": dict(LLAMA, tied=False, attention="banded", window=5),
    "qwen3": dict(QWEN3, preset="qwen3-0.6b"),
    "gelu": dict(activation="gelu"),
    "relu": dict(activation="relu"),
    "sinusoidal": dict(positions="sinusoidal"),
    "no-positions": dict(positions="none"),
    "rmsnorm": dict(norm="rmsnorm"),
    "no-biases": dict(biases=False),
    "untied": dict(tied=False),
    "head-size": dict(head_size=8),
    "norm-eps": dict(norm_eps=0.1),
    "banded": dict(attention="banded", window=4),
    "window-of-two": dict(attention="alternating", window=2),
    "kv-heads": dict(heads=4, kv_heads=2),
    "one-kv-head": dict(heads=4, kv_heads=1, tied=False, biases=False),
    "post-llama": dict(LLAMA, norm_place="post", tied=False),
    "post-untied": dict(norm_place="post", tied=False, biases=False, activation="relu"),
    "rotary-layernorm": dict(positions="rotary", activation="gelu", rope_theta=500.0),
    "swiglu-biases": dict(activation="swiglu", positions="sinusoidal", norm="rmsnorm"),
    "qk-norm-learned": dict(qk_norm=True, heads=4, kv_heads=2, head_size=5, attention="alternating", window=3),
    "post-alternating": dict(norm_place="post", attention="alternating", window=6, layers=3, positions="none"),
}


def knobs_of(variant):
    k = dict(DEFAULTS, **SIZES)
    k.update(variant)
    k["kv_heads"] = k["kv_heads"] or k["heads"]
    k["head_size"] = k["head_size"] or k["width"] // k["heads"]
    return k


# --- numbers of a name and an index ------------------------------------------------------------------------------


def fnv1a(text):
    h = 0xcbf29ce484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001b3 % 2**64
    return h


def bits(name, i):
    """24 bits: SplitMix64's output function (Steele et al. 2014) of FNV-1a of the name, plus the index."""
    z = (fnv1a(name) + (i + 1) * 0x9e3779b97f4a7c15) % 2**64
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 % 2**64
    z = (z ^ z >> 27) * 0x94d049bb133111eb % 2**64
    return (z ^ z >> 31) >> 40


def uniform(name, i):
    """In [-1, 1), exact in float32."""
    return (bits(name, i) - 2**23) / 2**23


def is_gain(name):
    return "norm.weight" in name or "ln_" in name and name.endswith(".weight")


def initial(name, shape):
    """Larger than initial weights are, so that every part of the model matters to the loss; rounded to float32."""
    values = [uniform(name, i) * 0.5 + (1 if is_gain(name) else 0) for i in range(math.prod(shape))]
    return torch.tensor(values).view(shape).to(FLOAT32).double()


def tokens(name, k):
    count = BATCH * k["context"]
    return torch.tensor([bits(name, i) % k["vocab"] for i in range(count)]).view(BATCH, k["context"])


# --- the pages' names --------------------------------------------------------------------------------------------

GPT2 = dict(tokens="transformer.wte", positions="transformer.wpe", block="transformer.h.%d.", attention_norm="ln_1",
            qkv="attn.c_attn", out="attn.c_proj", mlp_norm="ln_2", up="mlp.c_fc", down="mlp.c_proj",
            final_norm="transformer.ln_f")
GPT1 = dict(GPT2, tokens="transformer.tokens_embed", positions="transformer.positions_embed")
LLAMA_PAGE = dict(tokens="model.embed_tokens", positions="model.embed_positions", block="model.layers.%d.",
                  attention_norm="input_layernorm", q="self_attn.q_proj", k="self_attn.k_proj", v="self_attn.v_proj",
                  q_norm="self_attn.q_norm", k_norm="self_attn.k_norm", out="self_attn.o_proj",
                  mlp_norm="post_attention_layernorm", gate="mlp.gate_proj", up="mlp.up_proj", down="mlp.down_proj",
                  final_norm="model.norm")


def page_of(k):
    if (k["positions"] == "rotary" or k["kv_heads"] != k["heads"] or k["qk_norm"] or k["activation"] == "swiglu"):
        return LLAMA_PAGE
    return GPT1 if k["norm_place"] == "post" else GPT2


def shapes(k):
    """(name, shape) of every parameter; matrices are (in, out)."""
    page, width = page_of(k), k["width"]
    q, kv = k["heads"] * k["head_size"], k["kv_heads"] * k["head_size"]

    def linear(name, into, out):
        yield name + ".weight", (into, out)
        if k["biases"]:
            yield name + ".bias", (out,)

    def norm(name, size=width):
        yield name + ".weight", (size,)
        if k["norm"] == "layernorm" and k["biases"]:
            yield name + ".bias", (size,)

    yield page["tokens"] + ".weight", (k["vocab"], width)
    if k["positions"] == "learned":
        yield page["positions"] + ".weight", (k["context"], width)
    for layer in range(k["layers"]):
        block = page["block"] % layer
        yield from norm(block + page["attention_norm"])
        if "qkv" in page:
            yield from linear(block + page["qkv"], width, q + 2 * kv)
        else:
            yield from linear(block + page["q"], width, q)
            yield from linear(block + page["k"], width, kv)
            yield from linear(block + page["v"], width, kv)
        if k["qk_norm"]:
            yield block + page["q_norm"] + ".weight", (k["head_size"],)
            yield block + page["k_norm"] + ".weight", (k["head_size"],)
        yield from linear(block + page["out"], q, width)
        yield from norm(block + page["mlp_norm"])
        if k["activation"] == "swiglu":
            yield from linear(block + page["gate"], width, k["mlp_width"])
        yield from linear(block + page["up"], width, k["mlp_width"])
        yield from linear(block + page["down"], k["mlp_width"], width)
    if k["norm_place"] == "pre":
        yield from norm(page["final_norm"])
    if not k["tied"]:
        yield "lm_head.weight", (k["vocab"], width)


def sums_skip(name, k):
    """Without rotary positions and norms of keys, a key's bias adds the same to all scores of a query: its gradient
    is zero but for rounding, which Adam blows up to whole steps of any sign. These columns are in no sum."""
    if k["positions"] == "rotary" or k["qk_norm"]:
        return 0, 0
    size = k["kv_heads"] * k["head_size"]
    if name.endswith("c_attn.bias"):
        return k["heads"] * k["head_size"], k["heads"] * k["head_size"] + size
    return (0, size) if name.endswith("k_proj.bias") else (0, 0)


# --- the model ---------------------------------------------------------------------------------------------------


def sinusoids(k, like):
    """Vaswani et al. 2017, section 3.5."""
    position, i = torch.arange(k["context"])[:, None], torch.arange(k["width"])[None]
    angle = position / 10000 ** ((i - i % 2) / k["width"])
    return torch.where(i % 2 == 0, angle.sin(), angle.cos()).to(like.dtype)


def rms_norm(x, gain, eps):
    """Zhang & Sennrich 2019, equation 4."""
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * gain


def rotate(x, k):
    """Su et al. 2021, equation 34, with feature i paired with i + head_size/2. x (batch, heads, time, head_size)"""
    half = k["head_size"] // 2
    angle = torch.arange(x.shape[-2])[:, None] * k["rope_theta"] ** (-2 * torch.arange(half) / k["head_size"])[None]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


def mask_of(k, layer, time):
    """Which keys (columns) a query (row) sees."""
    banded = k["attention"] == "banded" or k["attention"] == "alternating" and layer % 2 == 1
    distance = torch.arange(time)[:, None] - torch.arange(time)[None]
    return (distance >= 0) & (distance < (k["window"] if banded else time))


def attention(q, key, v, mask, k):
    """Vaswani et al. 2017, equation 1; each key-value head serves heads/kv_heads queries' heads side by side
    (Ainslie et al. 2023)."""
    group = k["heads"] // k["kv_heads"]
    key, v = key.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
    scores = (q @ key.transpose(-1, -2) / math.sqrt(k["head_size"])).masked_fill(~mask, -math.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


def activate(p, name, page, x, linear, k):
    up = linear(name + page["up"], x)
    if k["activation"] == "swiglu":  # Shazeer 2020, equation 6
        gate = linear(name + page["gate"], x)
        return gate * torch.sigmoid(gate) * up
    if k["activation"] == "relu":
        return up.clamp(min=0)
    if k["activation"] == "gelu":  # Hendrycks & Gimpel 2016
        return 0.5 * up * (1 + torch.erf(up / math.sqrt(2)))
    return 0.5 * up * (1 + torch.tanh(math.sqrt(2 / math.pi) * (up + 0.044715 * up**3)))


def forward(p, k, inputs):
    """Logits of every token."""
    page, eps = page_of(k), k["norm_eps"]

    def linear(name, x):
        y = x @ p[name + ".weight"]
        return y + p[name + ".bias"] if k["biases"] else y

    def norm(name, x):
        if k["norm"] == "rmsnorm":
            return rms_norm(x, p[name + ".weight"], eps)
        return F.layer_norm(x, (k["width"],), p[name + ".weight"], p.get(name + ".bias"), eps)

    def heads(x):
        return x.unflatten(-1, (-1, k["head_size"])).transpose(1, 2)

    def attend(block, x, layer):
        if "qkv" in page:
            q, key, v = map(heads, linear(block + page["qkv"], x).chunk(3, -1))
        else:
            q, key, v = (heads(linear(block + page[part], x)) for part in "qkv")
        if k["qk_norm"]:
            q = rms_norm(q, p[block + page["q_norm"] + ".weight"], eps)
            key = rms_norm(key, p[block + page["k_norm"] + ".weight"], eps)
        if k["positions"] == "rotary":
            q, key = rotate(q, k), rotate(key, k)
        return linear(block + page["out"], attention(q, key, v, mask_of(k, layer, x.shape[1]), k))

    def mlp(block, x):
        return linear(block + page["down"], activate(p, block, page, x, linear, k))

    def residual(name, x, part):
        return x + part(norm(name, x)) if k["norm_place"] == "pre" else norm(name, x + part(x))

    x = p[page["tokens"] + ".weight"][inputs]
    if k["positions"] == "learned":
        x = x + p[page["positions"] + ".weight"]
    elif k["positions"] == "sinusoidal":
        x = x + sinusoids(k, x)
    for layer in range(k["layers"]):
        block = page["block"] % layer
        x = residual(block + page["attention_norm"], x, lambda x: attend(block, x, layer))
        x = residual(block + page["mlp_norm"], x, lambda x: mlp(block, x))
    if k["norm_place"] == "pre":
        x = norm(page["final_norm"], x)
    return x @ p[(page["tokens"] if k["tied"] else "lm_head") + ".weight"].T


def cross_entropy(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def parameters(k, dtype=torch.float64):
    return {name: initial(name, shape).to(dtype).requires_grad_() for name, shape in shapes(k)}


def loss_and_gradients(k, dtype=torch.float64):
    p = parameters(k, dtype)
    loss = cross_entropy(forward(p, k, tokens("inputs", k)), tokens("targets", k))
    loss.backward()
    return loss.item(), {name: w.grad for name, w in p.items()}


def train(k, dtype=torch.float64):
    """The losses before each step, and the weights after them."""
    p = parameters(k, dtype)
    optimizer = torch.optim.AdamW(
        [{"params": [w for w in p.values() if w.dim() == 2], "weight_decay": 0.1},
         {"params": [w for w in p.values() if w.dim() == 1], "weight_decay": 0.0}],
        lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for _ in range(STEPS):
        loss = cross_entropy(forward(p, k, tokens("inputs", k)), tokens("targets", k))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(p.values()), 1.0)
        optimizer.step()
    return losses, {name: w.detach() for name, w in p.items()}


# --- files -------------------------------------------------------------------------------------------------------


def sums(name, weight, k):
    skip = sums_skip(name, k)
    kept = torch.cat([weight.flatten()[:skip[0]], weight.flatten()[skip[1]:]]) if skip[1] else weight
    return [kept.sum().item(), (kept * kept).sum().item()]


def settings_of(variant):
    told = {**SIZES, **variant}
    if "preset" in told:
        told = {key: value for key, value in told.items() if key in TOLD_BESIDE_PRESET}
    return "settings " + " ".join(f"model.{key}={str(value).lower()}" for key, value in told.items())


def write_file(path, lines, values):
    lines = [*lines, f"values {len(values)}", ""]
    path.write_bytes("\n".join(lines).encode() + struct.pack(f"<{len(values)}f", *values))


def write(path, variant):
    k = knobs_of(variant)
    loss, gradients = loss_and_gradients(k)
    losses, weights = train(k)
    values = [loss, *losses]
    lines = [settings_of(variant), f"tensors {len(gradients)}"]
    for name, gradient in gradients.items():
        rows, columns = (1, *gradient.shape)[-2:]
        lines.append("%s %d %d %d %d" % (name, rows, columns, *sums_skip(name, k)))
        values += gradient.flatten().tolist() + sums(name, weights[name], k)
    write_file(path, lines, values)
    print(f"{path.name}: {path.stat().st_size} bytes; losses {losses[0]:.6f} {losses[-1]:.6f}")


def write_all():
    folder = pathlib.Path(__file__).with_name("family")
    folder.mkdir(exist_ok=True)
    for name, variant in VARIANTS.items():
        write(folder / f"{name}.golden", variant)
    print(sum(path.stat().st_size for path in folder.iterdir()), "bytes in all")


# --- comparison with transformers --------------------------------------------------------------------------------


@contextlib.contextmanager
def all_in_float64():
    """transformers' models compute norms, softmax and angles in float32 whatever their weights are: not here."""
    kept = torch.float32, torch.float, torch.Tensor.float
    torch.float32 = torch.float = torch.float64
    torch.Tensor.float = torch.Tensor.double
    try:
        yield
    finally:
        torch.float32, torch.float, torch.Tensor.float = kept


def gpt_config(k, kind):
    return kind(vocab_size=k["vocab"], n_positions=k["context"], n_embd=k["width"], n_layer=k["layers"],
                n_head=k["heads"], layer_norm_epsilon=k["norm_eps"], embd_pdrop=0, resid_pdrop=0, attn_pdrop=0,
                tie_word_embeddings=k["tied"])


def llama_config(k, kind, **more):
    config = kind(vocab_size=k["vocab"], max_position_embeddings=k["context"], hidden_size=k["width"],
                  num_hidden_layers=k["layers"], num_attention_heads=k["heads"], num_key_value_heads=k["kv_heads"],
                  head_dim=k["head_size"], intermediate_size=k["mlp_width"], hidden_act="silu",
                  rms_norm_eps=k["norm_eps"], rope_theta=k["rope_theta"], attention_dropout=0,
                  tie_word_embeddings=k["tied"], **more)
    theta = getattr(config, "rope_parameters", None) or {"rope_theta": config.rope_theta}
    assert theta["rope_theta"] == k["rope_theta"]
    return config


def peer_of(name, k):
    import transformers as t
    if name == "gpt1":
        return t.OpenAIGPTLMHeadModel(gpt_config(k, t.OpenAIGPTConfig)), ()
    if name == "gpt2":
        config = gpt_config(k, t.GPT2Config)
        config.n_inner = k["mlp_width"]
        return t.GPT2LMHeadModel(config), ()
    kind, model, more = {
        "llama": (t.LlamaConfig, t.LlamaForCausalLM, {}),
        "llama-tied": (t.LlamaConfig, t.LlamaForCausalLM, {}),
        "mistral": (t.MistralConfig, t.MistralForCausalLM, {"sliding_window": k["window"]}),
        "qwen3": (t.Qwen3Config, t.Qwen3ForCausalLM, {"use_sliding_window": False}),
    }[name]
    return model(llama_config(k, kind, **more)), ("_proj.weight",)


def largest_difference(ours, theirs):
    """Of every tensor, relative to its largest element; zero is compared with the loss, which is about one."""
    return max((a - b).abs().max().item() / max(b.abs().max().item(), 1e-6) for a, b in zip(ours, theirs))


def check_peer(name):
    k = knobs_of(VARIANTS[name])
    if name == "gpt1":
        k["mlp_width"] = 4 * k["width"]  # transformers' model knows no other
    with all_in_float64():
        model, transposed = peer_of(name, k)
        model = model.double().eval()
        model.set_attn_implementation("eager")
        found = dict(model.named_parameters())
        assert set(found) == {name for name, _ in shapes(k)}, set(found) ^ {name for name, _ in shapes(k)}
        for tensor, weight in found.items():
            ours = initial(tensor, dict(shapes(k))[tensor])
            weight.data.copy_(ours.T if tensor.endswith(transposed) else ours)
        loss = cross_entropy(model(tokens("inputs", k)).logits, tokens("targets", k))
        loss.backward()
    ours, gradients = loss_and_gradients(k)
    theirs = [found[n].grad.T if n.endswith(transposed) else found[n].grad for n in gradients]
    difference = largest_difference(gradients.values(), theirs)
    print(f"{name}: loss {ours:.12f}, transformers' {loss.item():.12f}; gradients differ by {difference:.2g}")
    assert abs(ours - loss.item()) < 1e-10 and difference < 1e-8, name


def check_float32(name):
    """What float32 alone makes of the numbers: the C test's tolerances must leave it room."""
    k = knobs_of(VARIANTS[name])
    loss, gradients = loss_and_gradients(k)
    narrow_loss, narrow = loss_and_gradients(k, FLOAT32)
    losses, weights = train(k)
    narrow_losses, narrow_weights = train(k, FLOAT32)
    kept = [n for n in gradients if sums_skip(n, k) == (0, 0)]
    print("%s in float32: loss off by %.1g, gradients %.1g, losses of steps %.1g, weights after them %.1g" % (
        name, abs(narrow_loss / loss - 1),
        largest_difference([narrow[n].double() for n in kept], [gradients[n] for n in kept]),
        max(abs(a / b - 1) for a, b in zip(narrow_losses, losses)),
        largest_difference([narrow_weights[n].double() for n in kept], [weights[n] for n in kept])))


def main():
    parser = argparse.ArgumentParser(description="Makes the golden files of GPT's family.")
    parser.add_argument("--check", action="store_true", help="compare with transformers; write nothing")
    if not parser.parse_args().check:
        return write_all()
    for name in ("gpt1", "gpt2", "llama", "llama-tied", "mistral", "qwen3"):
        check_peer(name)
    for name in VARIANTS:
        check_float32(name)


main()
