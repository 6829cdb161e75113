"""Models of transformers with random weights, brought in by gridgpt and handed out again.

`tests/run.sh interop` runs this with torch and transformers. For every kind of model that both sides know: logits agree
to 1e-4 in fp32, greedy text is the same, what is exported loads without code of ours and has the same bits, and is
imported to the same checkpoint. What must be refused is, with the file and the key.
"""
import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile

import torch
import transformers
from transformers import (AutoModelForCausalLM, GPT2Config, LlamaConfig, MistralConfig, OpenAIGPTConfig, Qwen3Config)

GRIDGPT, LOGITS = os.environ["GRIDGPT"], os.environ["GG_LOGITS"]
VOCAB, CONTEXT, TOKENS, DRAWN = 67, 48, 24, 20
failures = []


def small(**more):
    """What the Llamas here have in common; the numbers are all different, so that none can stand for another."""
    return dict(dict(vocab_size=VOCAB, hidden_size=40, intermediate_size=72, num_hidden_layers=3, num_attention_heads=4,
                     num_key_value_heads=2, max_position_embeddings=CONTEXT, eos_token_id=None, bos_token_id=None), **more)


def gpt(**more):
    return dict(dict(vocab_size=VOCAB, n_positions=CONTEXT, n_embd=36, n_layer=3, n_head=3, eos_token_id=None,
                     bos_token_id=None), **more)


MODELS = {
    "gpt2": GPT2Config(**gpt()),
    "gpt2-untied": GPT2Config(**gpt(tie_word_embeddings=False)),
    "gpt2-gelu": GPT2Config(**gpt(activation_function="gelu", n_inner=100, layer_norm_epsilon=1e-3)),
    "gpt2-relu": GPT2Config(**gpt(activation_function="relu")),
    "gpt2-upcast": GPT2Config(**gpt(reorder_and_upcast_attn=True)),
    "openai-gpt": OpenAIGPTConfig(**gpt()),
    "openai-gpt-relu": OpenAIGPTConfig(**gpt(afn="relu", layer_norm_epsilon=1e-3)),
    "llama": LlamaConfig(**small()),
    "llama-all-heads": LlamaConfig(**small(num_key_value_heads=4)),
    "llama-one-head": LlamaConfig(**small(num_key_value_heads=1)),
    "llama-tied": LlamaConfig(**small(tie_word_embeddings=True)),
    "llama-biases": LlamaConfig(**small(attention_bias=True, mlp_bias=True)),
    "llama-head-dim": LlamaConfig(**small(head_dim=16, rms_norm_eps=1e-3)),
    "llama-theta": LlamaConfig(**small(rope_parameters={"rope_type": "default", "rope_theta": 500.0})),
    "mistral": MistralConfig(**small(sliding_window=7)),
    "mistral-full": MistralConfig(**small(sliding_window=None, head_dim=12)),
    "qwen3": Qwen3Config(**small(head_dim=16)),
    "qwen3-tied": Qwen3Config(**small(head_dim=12, tie_word_embeddings=True)),
    "qwen3-window": Qwen3Config(**small(head_dim=16, use_sliding_window=True, sliding_window=5, max_window_layers=0)),
    "qwen3-alternating": Qwen3Config(**small(head_dim=16, use_sliding_window=True, sliding_window=5, layer_types=[
        "full_attention", "sliding_attention", "full_attention"])),
}


def run(*words, status=0):
    """Runs a program; its standard output. What it says where it must fail is returned instead."""
    done = subprocess.run([str(w) for w in words], capture_output=True)
    if done.returncode != status:
        raise AssertionError(f"{words[1:3]}: status {done.returncode}, not {status}: {done.stderr.decode()}")
    return done.stdout if status == 0 else done.stderr.decode()


def random_model(config):
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(copy.deepcopy(config)).eval()  # which notes its own type there
    with torch.no_grad():
        for parameter in model.parameters():  # biases and gains too, which begin as zeros and ones
            parameter.add_(torch.randn_like(parameter) * 0.15)
    return model


def ids_file(path):
    ids = torch.randint(0, VOCAB, (TOKENS,), generator=torch.Generator().manual_seed(3), dtype=torch.int32)
    ids.numpy().tofile(path)
    return ids.long()[None]


def our_logits(checkpoint, ids):
    raw = bytearray(run(LOGITS, checkpoint, ids))
    return torch.frombuffer(raw, dtype=torch.float32).view(TOKENS, VOCAB)


def check_logits(what, ours, theirs):
    error = (ours - theirs).abs().max().item()
    print(f"    {what}: logits differ by {error:.1e} of {theirs.abs().max().item():.1f}")
    assert error <= 1e-4, f"{what}: logits differ by {error}"


def greedy(model, prompt):
    with torch.no_grad():
        out = model.generate(prompt, do_sample=False, max_new_tokens=DRAWN, attention_mask=torch.ones_like(prompt),
                             pad_token_id=0)
    return out[0].tolist()


def our_greedy(checkpoint, prompt):
    text = run(GRIDGPT, "generate", checkpoint, "--ids", "--temperature", 0, "--tokens", DRAWN, "--precision", "fp32",
               "--prompt", " ".join(str(i) for i in prompt[0].tolist()))
    return [int(word) for word in text.split()]


def same_weights(what, a, b):
    a, b = dict(a.state_dict()), dict(b.state_dict())
    assert a.keys() == b.keys(), f"{what}: {a.keys() ^ b.keys()}"
    for name in a:
        assert a[name].dtype == b[name].dtype and torch.equal(a[name], b[name]), f"{what}: {name} differs"


def tensors(checkpoint):
    """Names, shapes and checksums of a checkpoint's tensors."""
    return run(GRIDGPT, "inspect", checkpoint, "--verify", "--tensors").decode().split("tensors", 1)[-1]


def check_model(name, config):
    model = random_model(config)
    model.save_pretrained("theirs")
    run(GRIDGPT, "import", "theirs", "--out", "a.h5")
    ids = ids_file("ids")
    with torch.no_grad():
        theirs = model(ids).logits[0]
    check_logits(name, our_logits("a.h5", "ids"), theirs)
    prompt = ids[:, :6]
    assert greedy(model, prompt) == our_greedy("a.h5", prompt), f"{name}: another greedy text"
    # out again: the same class, the same bits, the same checkpoint from it
    run(GRIDGPT, "export", "a.h5", "--out", "ours")
    # A Mistral without a window is a Llama.
    kind = transformers.LlamaForCausalLM if name == "mistral-full" else type(model)
    again, info = AutoModelForCausalLM.from_pretrained("ours", output_loading_info=True)
    assert not any(info.values()), f"{name}: {info}"
    assert type(again) is kind, f"{name}: {type(again)}"
    same_weights(name, again, model)
    with torch.no_grad():
        assert torch.equal(again.eval()(ids).logits[0], theirs), f"{name}: the export's logits differ"
    run(GRIDGPT, "import", "ours", "--out", "b.h5")
    assert tensors("a.h5") == tensors("b.h5"), f"{name}: import(export(x)) differs"
    assert open("a.h5", "rb").read() == open("b.h5", "rb").read(), f"{name}: import(export(x)) is another file"
    # bf16
    run(GRIDGPT, "export", "a.h5", "--out", "rounded", "--dtype", "bf16")
    same_weights(name + " bf16", AutoModelForCausalLM.from_pretrained("rounded", dtype="auto"), model.bfloat16())


def check_dtype(name, config, dtype):
    random_model(config).to(dtype).save_pretrained("theirs")
    model = AutoModelForCausalLM.from_pretrained("theirs", dtype=torch.float32).eval()
    run(GRIDGPT, "import", "theirs", "--out", "a.h5")
    ids = ids_file("ids")
    with torch.no_grad():
        check_logits(f"{name} {dtype}", our_logits("a.h5", "ids"), model(ids).logits[0])
    run(GRIDGPT, "export", "a.h5", "--out", "ours")
    same_weights(name, AutoModelForCausalLM.from_pretrained("ours"), model)


def check_shards(name, config):
    model = random_model(config)
    model.save_pretrained("one")
    model.save_pretrained("theirs", max_shard_size="20KB")
    assert os.path.exists("theirs/model.safetensors.index.json")
    run(GRIDGPT, "import", "one", "--out", "a.h5")
    run(GRIDGPT, "import", "theirs", "--out", "b.h5")
    assert open("a.h5", "rb").read() == open("b.h5", "rb").read(), f"{name}: shards make another checkpoint"
    run(GRIDGPT, "export", "a.h5", "--out", "ours", "--shard-bytes", "20k")
    assert os.path.exists("ours/model.safetensors.index.json") and not os.path.exists("ours/model.safetensors")
    same_weights(name, AutoModelForCausalLM.from_pretrained("ours"), model)


def check_bare(name, config):
    """Saved from the model without its head: no prefix before the names."""
    model = random_model(config)
    model.base_model.save_pretrained("theirs")
    model.save_pretrained("whole")
    run(GRIDGPT, "import", "theirs", "--out", "a.h5")
    run(GRIDGPT, "import", "whole", "--out", "b.h5")
    assert tensors("a.h5") == tensors("b.h5"), f"{name}: another checkpoint without the prefix"


def check_old_config(name, config):
    """config.json as transformers 4 wrote it."""
    model = random_model(config)
    model.save_pretrained("theirs")
    run(GRIDGPT, "import", "theirs", "--out", "a.h5")
    with open("theirs/config.json") as file:
        read = json.load(file)
    read.update(rope_theta=read.pop("rope_parameters")["rope_theta"], rope_scaling=None, torch_dtype=read.pop("dtype"))
    with open("theirs/config.json", "w") as file:
        json.dump(read, file)
    run(GRIDGPT, "import", "theirs", "--out", "b.h5")
    assert open("a.h5", "rb").read() == open("b.h5", "rb").read(), f"{name}: an older config.json is read otherwise"


def check_refused(change, key, config=MODELS["llama"]):
    random_model(config).save_pretrained("theirs")
    with open("theirs/config.json") as file:
        read = json.load(file)
    change(read)
    with open("theirs/config.json", "w") as file:
        json.dump(read, file)
    said = run(GRIDGPT, "import", "theirs", "--out", "a.h5", status=65)
    assert "theirs/config.json: " + key in said, f"{key}: {said}"
    assert not os.path.exists("a.h5") and not os.path.exists("a.h5.tmp")


def rope(**parameters):
    return lambda config: config.update(rope_parameters=dict({"rope_theta": 10000.0}, **parameters))


REFUSED = {
    "rope linear": (rope(rope_type="linear", factor=2.0), "rope_parameters: rope_type 'linear'"),
    "rope dynamic": (rope(rope_type="dynamic", factor=2.0), "rope_parameters: rope_type 'dynamic'"),
    "rope yarn": (rope(rope_type="yarn", factor=2.0), "rope_parameters: rope_type 'yarn'"),
    "rope llama3": (rope(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                         original_max_position_embeddings=16), "rope_parameters: rope_type 'llama3'"),
    "rope longrope": (rope(rope_type="longrope", short_factor=[1.0] * 5, long_factor=[1.0] * 5),
                      "rope_parameters: rope_type 'longrope'"),
    "rope_scaling of transformers 4": (lambda c: c.update(rope_scaling={"type": "linear", "factor": 2.0}),
                                       "rope_scaling: type 'linear'"),
    "partial rotary": (rope(rope_type="default", partial_rotary_factor=0.5), "rope_parameters: partial_rotary_factor"),
    "another architecture": (lambda c: c.update(model_type="bert"), "model_type: 'bert'"),
    "quantized": (lambda c: c.update(quantization_config={"bits": 4}), "quantization_config"),
    "biases of one kind": (lambda c: c.update(attention_bias=True), "mlp_bias"),
}


def attempt(name, check, *words):
    """Runs a check in a folder of its own."""
    folder = tempfile.mkdtemp()
    before = os.getcwd()
    os.chdir(folder)
    try:
        check(*words)
        print(f"ok      {name}", flush=True)
    except Exception as error:  # noqa: BLE001: the other checks are to run
        failures.append(name)
        print(f"FAILED  {name}: {error}", flush=True)
    finally:
        os.chdir(before)
        shutil.rmtree(folder)


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    only = sys.argv[1:]
    checks = [(name, check_model, name, config) for name, config in MODELS.items()]
    for name in ("gpt2", "openai-gpt", "llama", "mistral", "qwen3"):
        config = MODELS[name]
        checks += [(f"{name} half", check_dtype, name, config, torch.float16),
                   (f"{name} bfloat16", check_dtype, name, config, torch.bfloat16),
                   (f"{name} shards", check_shards, name, config)]
    checks += [(f"{name} without head", check_bare, name, MODELS[name]) for name in ("gpt2", "openai-gpt", "llama-tied")]
    checks += [(f"{name} of transformers 4", check_old_config, name, MODELS[name])
               for name in ("llama-theta", "mistral", "qwen3-tied")]
    checks += [(f"refused: {name}", check_refused, *what) for name, what in REFUSED.items()]
    for name, *rest in checks:
        if not only or any(word in name for word in only):
            attempt(name, *rest)
    print(f"{len(failures)} failed" + "".join(f"\n    {name}" for name in failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
