"""Compares gridgpt's tokenizer with the Hugging Face tokenizers library: training, and encoding of many texts.

usage: tokenizer_oracle.py GRIDGPT TEXT TRAINED [FOLDER]
TRAINED was made from TEXT with 2000 entries. FOLDER holds GPT-2's vocab.json and merges.txt.
"""
import json
import random
import subprocess
import sys
import unicodedata

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

# The pattern of cl100k_base (openai/tiktoken).
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
           r"\s*[\r\n]+|\s+(?!\S)|\s+")

SAMPLES = [
    "The quick brown fox jumps over the lazy dog.",
    "I'll say they're, we've, he'd, it's, I'm, don't -- DON'T 'tis 're 'x ''s",
    "for (int i = 0; i < n; i++) {\n\treturn x[i] >> 2;\n}\n\n\n  # done\r\n",
    "naïve café, Straße, ångström, façade; Ελληνικά, Русский текст, עברית, العربية, हिन्दी, ไทย",
    "中文分词,日本語のテキスト。한국어 문장.",
    "emoji 😀😃 👨‍👩‍👧‍👦 🇩🇪 e\u0301 \ufe0f",
    "spaces:\u00a0\u2003\u3000 \u2028\u2029\u0085\u1680 \u180e x\u200bx \t\v\f end  ",
    "digits 0123 ٠١٢٣ ०१२ ½ ² Ⅷ ① 1,000.50 １２３",
    " ", "  ", "\n", " \n ", "a", "", "'", "' s", "\x00\x01\x7f\u0080",
    "<|endoftext", "x" * 3000, " " * 500, "!?" * 400,
]


def random_texts(count):
    """Texts of random characters that every Unicode version since 14.0 (2021) agrees on."""
    source = random.Random(5)
    pools = [(0x20, 0x7F), (0x9, 0xE), (0xA0, 0x250), (0x370, 0x530), (0x2000, 0x2070), (0x3000, 0x3100), (0, 0x11000)]
    for _ in range(count):
        text = ""
        while len(text) < 200:
            character = chr(source.randrange(*source.choice(pools)))
            if unicodedata.category(character) not in ("Cn", "Cs"):
                text += character + " " * source.choice([0, 0, 0, 1, 2])
        yield text


def ours(gridgpt, tokenizer, texts):
    """Ids of each text, one input per text."""
    names = []
    for i, text in enumerate(texts):
        names.append(f"sample-{i}.txt")
        with open(names[-1], "wb") as file:
            file.write(text.encode())
    output = subprocess.run([gridgpt, "tokenizer", "encode", "--tokenizer", tokenizer, *names], check=True,
                            capture_output=True, text=True).stdout
    return [[int(word) for word in line.split()] for line in output.splitlines()]


def compare(what, gridgpt, path, library, texts):
    for text, ids in zip(texts, ours(gridgpt, path, texts), strict=True):
        expected = library.encode(text, add_special_tokens=False).ids
        if ids != expected:
            sys.exit(f"FAILED: {what}: {text[:80]!r}: {ids[:40]}, the library says {expected[:40]}")
        if library.decode(ids, skip_special_tokens=False) != text:
            sys.exit(f"FAILED: {what}: {text[:80]!r} does not decode to itself")
    print(f"{what}: {len(texts)} texts alike")


def train(text, vocab):
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.train_from_iterator([text], trainers.BpeTrainer(
        vocab_size=vocab, min_frequency=2, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return pairs(json.loads(library.to_str()))


def pairs(tokenizer):
    return [tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge)
            for merge in tokenizer["model"]["merges"]]


def main():
    gridgpt, text_path, trained = sys.argv[1:4]
    with open(text_path, encoding="utf-8", newline="") as file:
        text = file.read()
    with open(trained, encoding="utf-8") as file:
        merges = pairs(json.load(file))
    expected = train(text, len(merges) + 257)
    if merges != expected:
        first = next(i for i, (a, b) in enumerate(zip(merges, expected)) if a != b)
        sys.exit(f"FAILED: merge {first} is {merges[first]}, the library learns {expected[first]}")
    print(f"training: {len(merges)} merges alike")
    texts = SAMPLES + list(random_texts(100)) + [text]
    compare("trained here", gridgpt, trained, Tokenizer.from_file(trained), texts)
    split = Tokenizer.from_file(trained)
    split.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    split.save("split.json")
    compare("another pattern", gridgpt, "split.json", split, texts)
    if len(sys.argv) > 4:
        library = Tokenizer(models.BPE.from_file(f"{sys.argv[4]}/vocab.json", f"{sys.argv[4]}/merges.txt"))
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = Tokenizer.from_file(trained).decoder
        compare("GPT-2", gridgpt, sys.argv[4], library, texts)


main()
