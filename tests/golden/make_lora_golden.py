#!/usr/bin/env python3
"""Writes lora/lora-*.golden: what PEFT computes in float64 for adapters of a tiny GPT-2 and a tiny Llama of transformers,
for tests/core/model/test_family_golden.c. Needs torch, transformers and peft:

    python3 tests/golden/make_lora_golden.py

The files are those of make_family_golden.py, of the adapters alone; base and adapters have the weights that their
names make there.
"""
import pathlib

import peft
import torch

import make_family_golden as family

RANK = 3
MODELS = {
    "gpt2": (dict(), 6, ["c_attn", "c_proj"]),
    "llama": (dict(family.LLAMA, norm_eps=1e-5, tied=False), 4, ["q_proj", "v_proj", "down_proj"]),
}


def base_model(name, k):
    model, linear = family.peer_of(name, k)
    model = model.double().eval()
    theirs = dict(model.named_parameters())
    with torch.no_grad():
        for tensor, shape in family.shapes(k):
            weight = family.initial(tensor, shape)
            theirs[tensor].copy_(weight.T if tensor.endswith(linear or "-") else weight)
    return model


def our_name(theirs):
    return theirs.removeprefix("base_model.model.").replace(".default", "")


def adapted(name, k, alpha, targets):
    """The model with its adapters, and these by our names."""
    config = peft.LoraConfig(r=RANK, lora_alpha=alpha, target_modules=targets, lora_dropout=0, bias="none",
                             fan_in_fan_out=name == "gpt2", task_type="CAUSAL_LM")
    model = peft.get_peft_model(base_model(name, k), config, autocast_adapter_dtype=False).double()
    adapters = {our_name(n): p for n, p in model.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for tensor, p in adapters.items():
            p.copy_(family.initial(tensor, tuple(p.T.shape)).T)
    return model, adapters


def loss_of(model, k):
    logits = model(input_ids=family.tokens("inputs", k)).logits
    return family.cross_entropy(logits, family.tokens("targets", k))


def write(path, name, variant, alpha, targets):
    k = family.knobs_of(variant)
    with family.all_in_float64():
        model, adapters = adapted(name, k, alpha, targets)
        loss_of(model, k).backward()
        gradients = {tensor: p.grad.T.clone() for tensor, p in adapters.items()}
        optimizer = torch.optim.AdamW(adapters.values(), lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
        losses = []
        for _ in range(family.STEPS):
            optimizer.zero_grad()
            loss = loss_of(model, k)
            losses.append(loss.item())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(adapters.values()), 1.0)
            optimizer.step()
    values = [losses[0], *losses]
    settings = (f"{family.settings_of(variant)} finetune.lora.rank={RANK} finetune.lora.alpha={alpha} "
                f"finetune.lora.targets=[{','.join(targets)}]")
    lines = [settings, f"tensors {len(gradients)}"]
    for tensor, gradient in gradients.items():
        lines.append("%s %d %d 0 0" % (tensor, *gradient.shape))
        values += gradient.flatten().tolist() + family.sums("", adapters[tensor].detach(), k)
    family.write_file(path, lines, values)
    print(f"{path.name}: {path.stat().st_size} bytes; losses {losses[0]:.6f} {losses[-1]:.6f}")


def main():
    folder = pathlib.Path(__file__).with_name("lora")
    folder.mkdir(exist_ok=True)
    for name, (variant, alpha, targets) in MODELS.items():
        write(folder / f"lora-{name}.golden", name, variant, alpha, targets)


if __name__ == "__main__":
    main()
