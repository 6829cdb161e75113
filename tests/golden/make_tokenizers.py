#!/usr/bin/env python3
"""Writes tokenizers of three kinds and what the Hugging Face tokenizers library makes of many texts with them, for
tests/io/tokenizer/test_tokenizer_golden.c.

Run with the tokenizers library: python tests/golden/make_tokenizers.py
tokenizer_{gpt2,qwen3,llama3}.json are tokenizer.json files as those models have them, trained on a few lines;
tokenizer_texts.json is a list of {"text", "ids": {KIND: ids}, "plain": {KIND: ids with special tokens taken as text}}.
"""
import json
import pathlib
import random
import unicodedata

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
# The patterns of Qwen 2 and 3, and of Llama 3.
QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
        r"\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")

LINES = [
    "In the beginning God created the heaven and the earth. And the earth was without form, and void;",
    "It's true that they're here, we've seen them, I'll say it again and he'd say it too: don't!",
    "for (int i = 0; i < 100; i++) {\n\treturn values[i] + 2024;\n}\n\n",
    "été à la café, Straße, naïve façade; 한국어 한국어 문장; 中文 分词 中文; Ελληνικά και ελληνικά",
]
SPECIAL = {
    "gpt2": [("<|endoftext|>", True)],
    "qwen3": [("<|endoftext|>", True), ("<|im_start|>", True), ("<|im_end|>", True), ("<tool_call>", False),
              ("<think>", False), ("</think>", False)],
    "llama3": [("<|begin_of_text|>", True), ("<|end_of_text|>", True), ("<|start_header_id|>", True), ("<|eot_id|>", True)],
}


def build(kind):
    tokenizer = Tokenizer(models.BPE())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind == "gpt2")
    pattern = {"qwen3": QWEN, "llama3": LLAMA3}.get(kind)
    tokenizer.pre_tokenizer = level if pattern is None else pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), level])
    if kind == "qwen3":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.train_from_iterator(LINES * 2, trainers.BpeTrainer(
        vocab_size=330, min_frequency=2, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    if kind == "llama3":  # words that no merges lead to: ignore_merges takes them whole
        parts = json.loads(tokenizer.to_str())
        for word in ["Ġzebra", "stone", "é"]:
            if word not in parts["model"]["vocab"]:
                parts["model"]["vocab"][word] = len(parts["model"]["vocab"])
        parts["model"]["ignore_merges"] = True
        tokenizer = Tokenizer.from_str(json.dumps(parts))
    for content, special in SPECIAL[kind]:
        token = AddedToken(content, special=special, normalized=False)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([token])
    if kind == "llama3":
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), processors.TemplateProcessing(
            single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
            special_tokens=[("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))])])
    return tokenizer


def texts():
    yield from LINES
    yield from [
        "", " ", "\n", " \n  x\n", "a", "DON'T I'LL He'S 'tis x''s", "1 12 123 1234 12345 ١٢٣٤ ½Ⅷ",
        "zebra zebra stone stones  zebra e\u0301 é", "cafe\u0301 e\u0301te\u0301 a\u0327\u0301 a\u0301\u0327 \u212b \u1112\u1161\u11ab\u1100\u1161",
        "<|endoftext|>one<|endoftext|><|endoftext|> two <|endoftex", "<|im_start|>user\nHi<|im_end|>\n<think>\n\n</think>\n<think",
        "<|begin_of_text|>x<|start_header_id|>user<|eot_id|> <|end_of_text|>\n", "e<think>\u0301e</think>\u0301 e\u0301",
        "tabs\t\tand\u00a0\u3000spaces   end   ", "a\r\nb\r\n\r\n  c\n\n\n", "!!!\n\n??? ...\r\n-- x", "👨‍👩‍👧‍👦🇩🇪 \u200b\ufeff",
        "\u0301\u0301 marks first", "\u0ddc\u0dca \u0dd9\u0dcf\u0dca", "\u1100\u1161\u11a8\u1161 \u0b47\u0b3e",
        "K\u017ft 'ſ 'S", "\u2126\u037e\u0387\uf900\ufb01",
    ]
    source = random.Random(11)
    pools = [(0x20, 0x7F), (0x9, 0xE), (0xC0, 0x250), (0x300, 0x320), (0x1100, 0x1200), (0x4E00, 0x4E20), (0xAC00, 0xAC40),
             (0x900, 0x980), (0x340, 0x345), (0xF900, 0xF910)]
    for _ in range(60):
        text = ""
        for _ in range(source.randrange(1, 40)):
            character = chr(source.randrange(*source.choice(pools)))
            if unicodedata.category(character) not in ("Cn", "Cs"):
                text += character + " " * source.choice([0, 0, 0, 1])
        yield text + source.choice(["", "", "<|endoftext|>", "<think>"])


def main():
    kinds = {kind: build(kind) for kind in SPECIAL}
    rows = []
    for text in texts():
        row = {"text": text, "ids": {}, "plain": {}}
        for kind, tokenizer in kinds.items():
            tokenizer.encode_special_tokens = False
            row["ids"][kind] = tokenizer.encode(text, add_special_tokens=False).ids
            tokenizer.encode_special_tokens = True
            row["plain"][kind] = tokenizer.encode(text, add_special_tokens=False).ids
        rows.append(row)
    for kind, tokenizer in kinds.items():
        tokenizer.encode_special_tokens = False
        (HERE / f"tokenizer_{kind}.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False) + "\n")
    (HERE / "tokenizer_texts.json").write_text(
        "[" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]\n")


main()
