"""Makes tests/golden/huggingface/: tiny models of transformers with random weights, and what they make of some ids.

Run with torch and transformers, once (`build/interop/bin/python tests/golden/make_huggingface.py`, after `tests/run.sh
interop` made that environment). NAME/ is the folder as save_pretrained writes it, NAME.ids (int32) a sequence, NAME.logits
(float32, a row per id) the model's logits in fp32, NAME.greedy the greedy continuation of the first six ids.
"""
import pathlib
import shutil

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (AutoModelForCausalLM, GPT2Config, LlamaConfig, MistralConfig, OpenAIGPTConfig, Qwen3Config)

VOCAB, CONTEXT, TOKENS, DRAWN = 64, 32, 20, 12
HERE = pathlib.Path(__file__).parent / "huggingface"
LLAMA = dict(vocab_size=VOCAB, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=CONTEXT, bos_token_id=None, eos_token_id=None)
GPT = dict(n_positions=CONTEXT, n_embd=24, n_layer=2, n_head=3, bos_token_id=None, eos_token_id=None)
MODELS = {  # configuration, type of the file, and what else save_pretrained is told
    "gpt2": (GPT2Config(vocab_size=270, **GPT), torch.float32, {}),
    "gpt1": (OpenAIGPTConfig(vocab_size=VOCAB, **GPT), torch.float16, {}),
    "llama": (LlamaConfig(**LLAMA, rope_parameters={"rope_type": "default", "rope_theta": 777.0}), torch.float32,
              {"max_shard_size": "15KB"}),
    "mistral": (MistralConfig(**LLAMA, sliding_window=5), torch.bfloat16, {}),
    "qwen3": (Qwen3Config(**LLAMA, head_dim=8, tie_word_embeddings=True), torch.float32, {}),
}


def make_tokenizer(path):
    """The bytes and a few merges: 265 entries, fewer than the model has."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=265, special_tokens=["<|endoftext|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(["the theme of the thesis, then the others: the the the, and there"], trainer)
    tokenizer.save(str(path))


def make(name, config, dtype, saving):
    torch.manual_seed(11)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # biases and gains too, which begin as zeros and ones
            parameter.add_(torch.randn_like(parameter) * 0.2)
    shutil.rmtree(HERE / name, ignore_errors=True)
    model.to(dtype).save_pretrained(HERE / name, **saving)
    (HERE / name / "generation_config.json").unlink(missing_ok=True)
    model = AutoModelForCausalLM.from_pretrained(HERE / name, dtype=torch.float32).eval()
    ids = torch.randint(0, VOCAB, (1, TOKENS), generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        model(ids).logits[0].numpy().tofile(HERE / f"{name}.logits")
        prompt = ids[:, :6]
        text = model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=DRAWN,
                              pad_token_id=0)
    ids.to(torch.int32).numpy().tofile(HERE / f"{name}.ids")
    (HERE / f"{name}.greedy").write_text(" ".join(str(i) for i in text[0].tolist()) + "\n")


HERE.mkdir(exist_ok=True)
for name, how in MODELS.items():
    make(name, *how)
make_tokenizer(HERE / "gpt2" / "tokenizer.json")
