# prepare with near duplicates dropped and masking on: the same bytes for every number of ranks, beside a plain count
# in Python; and that a rank reads its part of the input.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
prepare() { "$GRIDGPT" prepare --tokenizer tokenizer.json "$@"; }
rm -rf ./*

# A family is texts that are more or less like its first; every third document holds what is to be masked.
python3 - <<'P'
import gzip, json, random
random.seed(7)
words = [w + s for w in ("river", "Übermut", "naïve", "Zeile", "stone", "don't", "tree") for s in ("", "s", "ed", "ly", "ing", "ful")]
pii = [("<EMAIL>", "jane.doe@example.org"), ("<PHONE>", "+49 30 1234567"), ("<CARD>", "4111 1111 1111 1111"),
       ("<IP>", "192.168.0.17"), ("<IP>", "2001:db8::17"), (None, "version 1.2.3.4"), (None, "978-3-16-148410-0")]
docs, counts = [], {}
for family in range(60):
    base = [random.choice(words) + str(random.randrange(50)) for _ in range(random.randrange(60, 250))]
    for member in range(random.randrange(1, 8)):
        text = list(base)
        for _ in range(member * len(base) // random.choice([40, 90, 400])):
            text[random.randrange(len(text))] = random.choice(words) + str(random.randrange(50))
        docs.append(text)
docs += [docs[5], docs[77]]                                  # twice the same: no near duplicates
random.shuffle(docs)
plain, masked = [], []
for i, text in enumerate(docs):
    mask, found = random.choice(pii)
    plain.append(" ".join(text + ([found] if i % 3 == 0 else [])) + ".")
    masked.append(" ".join(text + ([mask or found] if i % 3 == 0 else [])) + ".")
# Much text between, so that blocks end everywhere: a document of several, and many small ones.
random.seed(8)
long = " ".join(random.choice(words) for _ in range(1400000)) + "\n"
small = [" ".join(random.choice(words) + str(random.randrange(10 ** 6)) for _ in range(80)) + "\n" for _ in range(9000)]
for name, part in ("plain", plain), ("masked", masked):
    half = len(part) // 2
    with open(name + "-a.jsonl", "w") as f:
        for i, d in enumerate(part[:half]):
            f.write(json.dumps({"text": d}) + "\n" * (1 + i % 3))
    with gzip.open(name + "-b.jsonl.gz", "wt", compresslevel=1) as f:
        for d in small[:4000] + part[half:]:
            f.write(json.dumps({"text": d}) + "\n")
    with open(name + "-c.txt", "w") as f:
        f.write("=\n".join([long] + small[4000:]))
json.dump(plain, open("docs.json", "w"))
P
"$GRIDGPT" tokenizer train --vocab 400 --out tokenizer.json plain-a.jsonl 2>/dev/null
both="--near-duplicates --mask-pii --separator = --val 0.05 --shard-tokens 2m"
for ranks in 1 2 3; do
    mpirun -n $ranks "$GRIDGPT" prepare --tokenizer tokenizer.json --out n$ranks $both plain-{a.jsonl,b.jsonl.gz,c.txt} \
        >n$ranks.txt 2>/dev/null
    diff -r n1 n$ranks || fail "$ranks ranks write other bytes"
done
[ -e n1/train-00001.h5 ] || fail "one shard only"
prepare --out unlisted --near-duplicates --keep-duplicates plain-a.jsonl 2>err.txt && fail "contradicting options" || [ $? = 64 ]

# The list beside the exact resemblance of all pairs: what is alike by a margin is dropped, what is not stays, the one
# before is named, and both are where the list says.
python3 - <<'P' || fail "near duplicates"
import gzip, json, re
docs = json.load(open("docs.json"))
half = len(docs) // 2
number = {i: i if i < half else i + 4000 for i in range(len(docs))}
index = {n: i for i, n in number.items()}
def mask(text):
    for pattern, placeholder in ((r"\S+@\S+\w", "<EMAIL>"), (r"\+49[ \d]+", "<PHONE>"), (r"4111[ \d]+", "<CARD>"),
                          (r"(?<!version )\b\d+\.\d+\.\d+\.\d+|2001:\S+\w", "<IP>")):
        text = re.sub(pattern, placeholder, text)
    return text
def runs(text):
    w = re.findall(r"[^\W_]+", mask(text).lower())
    return {tuple(w[i:i + 5]) for i in range(len(w) - 4)}
sets = [runs(d) for d in docs]
like = lambda a, b: len(sets[a] & sets[b]) / len(sets[a] | sets[b])
lines = {"plain-a.jsonl": open("plain-a.jsonl", "rb").read(), "plain-b.jsonl.gz": gzip.open("plain-b.jsonl.gz").read()}
dropped = {}
for entry in map(json.loads, open("n1/near-duplicates.jsonl")):
    for place in entry, entry["resembles"]:
        data = lines[place["file"]]
        line = data[place["offset"]:].split(b"\n", 1)[0]
        assert json.loads(line)["text"] == docs[index[place["document"]]], place
        assert data[:place["offset"]].count(b"\n") + 1 == place["line"], place
    a, b = index[entry["document"]], index[entry["resembles"]["document"]]
    assert b < a and b not in dropped
    assert abs(like(a, b) - entry["similarity"]) < 0.16 and like(a, b) > 0.66, (like(a, b), entry)
    dropped[a] = b
seen, kept, twice = set(), [], 0
for i, d in enumerate(docs):
    if mask(d) in seen:
        twice += 1
        continue
    seen.add(mask(d))
    most = max((like(i, k) for k in kept), default=0)
    assert i in dropped or most < 0.92, (i, most)
    assert i not in dropped or most > 0.66, (i, most)
    if i not in dropped:
        kept.append(i)
summary = open("n1.txt").read()
assert 40 < len(dropped) < len(docs) - 60 and f"near        {len(dropped)} documents" in summary, summary
assert twice >= 2 and f"duplicates  {twice} documents" in summary, (twice, summary)
P

# What masking leaves is what Python wrote, and it is counted.
prepare --out m1 --mask-pii --keep-duplicates --val 0 plain-a.jsonl >m1.txt 2>/dev/null
prepare --out m2 --keep-duplicates --val 0 masked-a.jsonl >/dev/null 2>&1
cmp m1/train-00000.h5 m2/train-00000.h5 || fail "masking"
python3 - <<'P' || fail "counts: $(cat m1.txt)"
import re
text, summary = open("masked-a.jsonl").read(), open("m1.txt").read()
counts = [text.count(p) for p in ("<EMAIL>", "<PHONE>", "<CARD>", "<IP>")]
assert min(counts) > 2 and list(map(int, re.findall(r"\d+", re.search("masked.*", summary)[0]))) == counts, counts
P

# What three ranks read of three blocks, beside what they read of next to nothing.
cat >counted <<'S'
"$@"
sed -n 's/rchar: //p' /proc/$$/io >read.$OMPI_COMM_WORLD_RANK
S
read_by_ranks() {
    mpirun -n 3 bash counted "$GRIDGPT" prepare --tokenizer tokenizer.json --out read --overwrite --val 0 "$1" >/dev/null 2>&1
    cat read.0 read.1 read.2 | tr '\n' ' '
}
head -c 24500000 <(while :; do cat masked-c.txt; done) >large.txt
small=($(read_by_ranks plain-a.jsonl)) large=($(read_by_ranks large.txt))
for rank in 0 1 2; do
    bytes=$((${large[rank]} - ${small[rank]}))
    [ $bytes -gt 7500000 ] && [ $bytes -lt 9500000 ] || fail "rank $rank reads $bytes bytes of 24500000"
done
rm -rf ./*
