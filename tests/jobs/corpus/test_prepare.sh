# prepare: the same bytes for every number of ranks, read back by h5py, and what each option does.
set -euo pipefail
prepare() { "$GRIDGPT" prepare --tokenizer "$tokenizer" "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# refused STATUS PART COMMAND...: the command fails with that status and says PART.
refused() {
    local wanted=$1 part=$2 got=0
    shift 2
    "$@" >out.txt 2>err.txt || got=$?
    [ "$got" = "$wanted" ] || fail "status $got, not $wanted: $* ($(cat err.txt))"
    grep -qF -- "$part" err.txt || fail "'$part' is not said: $(cat err.txt)"
}
no_shards() { ! compgen -G "$1/*.h5" >/dev/null || fail "$1 holds shards: $(ls "$1")"; }

python="$GG_TEST_PYTHON"
"$python" -c 'import h5py, hdf5plugin, tokenizers' ||
    { echo "skipped: $python lacks h5py, hdf5plugin or tokenizers"; exit 77; }
tokenizer=$GG_SHARED_DATA/gpt2
[ -e "$tokenizer/vocab.json" ] || { echo "skipped: no GPT-2 vocabulary in $tokenizer"; exit 77; }
read_shards() { "$python" "$GG_SOURCE/tests/io/shards/read_shard.py" "$@"; }
rm -rf ./*

"$python" - <<'P'
import gzip, json, random, subprocess
random.seed(5)
words = ["the", "river", "Übermut", "naïve", "日本語", "x=1;", "don't", "1984", "\t", "—", "Zeile", "🙂"]
def text(n):
    return " ".join(random.choice(words) + ("\n" if random.random() < .1 else "") for _ in range(n))
docs = [text(random.randrange(1, 400)) for _ in range(700)]
docs[100] = docs[7]
docs[500] = docs[7]
docs[3] = text(300000)                      # several units long
docs[600] = docs[3]                         # and a duplicate
json.dump(docs, open("docs.json", "w"))
def lines(name, part):
    with open(name, "w") as f:
        for i, d in enumerate(part):
            f.write(json.dumps({"id": i, "text": d}, ensure_ascii=i % 2 == 0) + "\n" + ("\n" if i % 9 == 0 else ""))
lines("a.jsonl", docs[:300])
lines("b.jsonl", docs[300:])
with open("all.txt", "w") as f:
    for d in docs:
        f.write(d.replace("<<<>>>", "") + ("" if d.endswith("\n") else "\n") + "<<<>>>\n")
big = text(800000)
json.dump({"text": big}, open("big.jsonl", "w"))
open("big.txt", "w", newline="").write(big)
raw = open("all.txt", "rb").read()
with open("all.txt.gz", "wb") as f:          # several members
    for i in range(0, len(raw), 3000000):
        f.write(gzip.compress(raw[i:i + 3000000], 1))
P
zstd -q -1 all.txt -o half1.zst && cat half1.zst >all.zst

# The same bytes for 1, 2, 3 and 4 ranks, several shards.
prepare --out j1 --val 0.1 --shard-tokens 500k a.jsonl b.jsonl >j1.txt
for ranks in 2 3 4; do
    mpirun -n $ranks "$GRIDGPT" prepare --tokenizer "$tokenizer" --out j$ranks --val 0.1 --shard-tokens 500k \
        a.jsonl b.jsonl >j$ranks.txt
    diff -r j1 j$ranks || fail "$ranks ranks write other bytes"
done
[ -e j1/train-00001.h5 ] || fail "one shard only"
grep -q "duplicates  3 documents" j1.txt || fail "$(cat j1.txt)"
for shard in j1/*.h5; do [ "$(read_shards check "$shard")" = ok ] || fail "$shard"; done

# Another program finds the ids that the tokenizers library gives, in order, less duplicates; train and val
# are documents as a whole, and about a tenth are val.
read_shards documents j1/train-*.h5 >train.ids
read_shards documents j1/val-*.h5 >val.ids
"$python" - "$tokenizer" <<'P' || fail "ids"
import json, sys, unicodedata
from tokenizers import ByteLevelBPETokenizer
gpt2 = ByteLevelBPETokenizer(sys.argv[1] + "/vocab.json", sys.argv[1] + "/merges.txt")
docs = list(dict.fromkeys(unicodedata.normalize("NFC", d) for d in json.load(open("docs.json"))))
train = [l.strip() for l in open("train.ids")]
val = [l.strip() for l in open("val.ids")]
assert len(train) + len(val) == len(docs), (len(train), len(val), len(docs))
assert 40 <= len(val) <= 100, len(val)
expected = [" ".join(map(str, gpt2.encode(d).ids + [50256])) for d in docs]
held = set(val)
assert [e for e in expected if e not in held] == train
assert [e for e in expected if e in held] == val
P

# Plain text at a separator, plain and packed, gives the same; so does standard input.
prepare --out s1 --separator '<<<>>>' --val 0.1 all.txt >/dev/null 2>&1
prepare --out s2 --separator '<<<>>>' --val 0.1 all.txt.gz >/dev/null 2>&1
prepare --out s3 --separator '<<<>>>' --val 0.1 all.zst >/dev/null 2>&1
prepare --out s4 --separator '<<<>>>' --val 0.1 <all.txt >/dev/null 2>&1
mpirun -n 3 "$GRIDGPT" prepare --tokenizer "$tokenizer" --out s5 --separator '<<<>>>' --val 0.1 - <all.zst >/dev/null 2>&1
for other in s2 s3 s4 s5; do diff -r s1 $other || fail "$other differs"; done
[ -z "$(ls s5/*.tmp 2>/dev/null)" ] || fail "copies stay behind"

# A document of several units has the ids that it has as one.
prepare --out b1 --val 0 big.jsonl >/dev/null 2>&1
prepare --out b2 --val 0 big.txt >/dev/null 2>&1
cmp b1/train-00000.h5 b2/train-00000.h5 || fail "cutting into units changed the ids"

# One document: the tail at a line is validation, and both together are the text.
prepare --out t1 --val 0.2 all.txt >/dev/null 2>&1
mpirun -n 3 "$GRIDGPT" prepare --tokenizer "$tokenizer" --out t3 --val 0.2 all.txt >/dev/null 2>&1
diff -r t1 t3 || fail "tail differs by ranks"
prepare --out t0 --val 0 all.txt >/dev/null 2>&1
[ ! -e t0/val-00000.h5 ] || fail "--val 0 made validation shards"
[ "$(read_shards cut t1/train-00000.h5 t1/val-00000.h5 t0/train-00000.h5)" = ok ] || fail "the cut changed the ids"

# Options of cleaning.
printf 'caf\303\251 cafe\314\201 \001bell\r\nend' >clean.txt
prepare --out c1 --val 0 clean.txt >/dev/null 2>&1
printf 'caf\303\251 caf\303\251 bell\nend' >cleaned.txt
prepare --out c2 --val 0 --no-nfc --keep-controls cleaned.txt >/dev/null 2>&1
cmp c1/train-00000.h5 c2/train-00000.h5 || fail "cleaning"
prepare --out c3 --val 0 --no-nfc --keep-controls clean.txt >/dev/null 2>&1
! cmp -s c1/train-00000.h5 c3/train-00000.h5 || fail "cleaning cannot be switched off"

printf 'good\n\377bad' >invalid.txt
printf 'ends within \303' >cut.txt
refused 65 "invalid.txt: invalid UTF-8 at byte 5" prepare --out i1 cleaned.txt invalid.txt
refused 65 "cut.txt: invalid UTF-8 at byte 12" mpirun -n 3 "$GRIDGPT" prepare --tokenizer "$tokenizer" --out i1 cut.txt
no_shards i1
prepare --out i2 --val 0 --invalid replace invalid.txt cut.txt >/dev/null 2>&1
printf 'good\n\357\277\275bad' >valid1.txt
printf 'ends within \357\277\275' >valid2.txt
prepare --out i3 --val 0 valid1.txt valid2.txt >/dev/null 2>&1
cmp i2/train-00000.h5 i3/train-00000.h5 || fail "replacement"

# JSONL that is not.
printf '{"text":"a b c"}\n{"txet":"a"}\n' >m.jsonl
refused 65 "m.jsonl: line 2 has no member 'text'" prepare --out k1 m.jsonl
printf '{"text":"a b c"}\n{"text":"a"\n' >m.jsonl
refused 65 "m.jsonl: line 2" prepare --out k1 m.jsonl
printf '{"text":3}\n' >m.jsonl
refused 65 "'text' is not a string" prepare --out k1 m.jsonl
printf '{"text":"a\377"}\n' >m.jsonl
refused 65 "m.jsonl: invalid UTF-8 at byte 10" prepare --out k1 m.jsonl
printf '{"body":"a \\ud800 b","text":0}\n{"body":"c \\u0000\\ud83d\\ude42"}' >m.json
refused 65 "m.json: line 1" prepare --out k1 --format jsonl --field body m.json
prepare --out k2 --val 0 --format jsonl --field body --invalid replace m.json >/dev/null 2>&1
printf 'a \357\277\275 b' >k1.txt
printf 'c 🙂' >k2.txt
prepare --out k3 --val 0 k1.txt k2.txt >/dev/null 2>&1
cmp k2/train-00000.h5 k3/train-00000.h5 || fail "escapes"
no_shards k1

# Packed input that is damaged, cut off, or something else.
head -c 100000 all.txt.gz >cut.gz
refused 65 "cut.gz: damaged gzip data at byte 100000" prepare --out z cut.gz
head -c 50000 all.zst >cut.zst
refused 65 "cut.zst: damaged zstd data at byte 50000" prepare --out z cut.zst
{ head -c 60000 all.txt.gz; printf 'XXXXXXXXXXXXXXXX'; tail -c +60017 all.txt.gz; } >flip.gz
refused 65 "flip.gz: damaged gzip data" prepare --out z flip.gz
{ cat all.txt.gz; echo more; } >more.gz
refused 65 "more.gz: damaged gzip data" prepare --out z more.gz
printf '\3757zXZ\0' >text.xz
refused 65 "text.xz: xz is not read here" prepare --out z text.xz
refused 74 "nothing.txt" prepare --out z nothing.txt
refused 74 "is a folder" prepare --out z "$PWD"
no_shards z

# Empty input is no text; beside other input it is a warning.
: >empty.txt
refused 65 "the input holds no text" prepare --out e empty.txt
no_shards e
prepare --out e empty.txt cleaned.txt 2>err.txt >/dev/null
grep -q "empty.txt: holds no document" err.txt || fail "no warning of an empty file"

# What is there is not overwritten unasked, and nothing stale stays.
refused 64 "--overwrite" prepare --out j1 cleaned.txt
touch e/train-00009.h5 e/val-00000.h5.tmp
prepare --out e --overwrite --val 0 cleaned.txt >/dev/null 2>&1
[ "$(ls e | tr '\n' ' ')" = "tokenizer.json train-00000.h5 " ] || fail "stale: $(ls e)"
refused 64 "--tokenizer is missing" "$GRIDGPT" prepare --out x cleaned.txt
refused 64 "did you mean" prepare --overwrit --out x cleaned.txt

# One line of 50 MB without a space, and one with: they stream.
"$python" -c "open('line.txt','w').write('ab3' * 17000000)"
prepare --out l1 --val 0 line.txt >/dev/null 2>&1
mpirun -n 2 "$GRIDGPT" prepare --tokenizer "$tokenizer" --out l2 --val 0 line.txt >/dev/null 2>&1
diff -r l1 l2 || fail "one line differs by ranks"

# No room to write: said, and nothing stays.
# (A limit on the size of files stands for a full disk; Open MPI's own files are kept out of its way.)
export OMPI_MCA_btl=self PMIX_MCA_gds=hash
(trap '' XFSZ; ulimit -f 300; refused 74 "full/train-00000.h5.tmp: cannot be written [HDF5: File too large]" prepare --out full --val 0 all.txt)
[ -z "$(ls full)" ] || fail "left behind: $(ls full)"

# Killed on the way: nothing has a final name.
for delay in 0.3 0.6; do
    (ulimit -c 0; timeout -s KILL $delay "$GRIDGPT" prepare --tokenizer "$tokenizer" --out dead --val 0 line.txt line.txt >/dev/null 2>&1) || true
    no_shards dead
done
rm -rf ./*
