# Ids that another program made: the same shards of each form and for every number of ranks, and a model of them, from
# training to text, without a tokenizer.
set -euo pipefail
rm -rf ./*
fail() { echo "FAILED: $*" >&2; exit 1; }
python="$GG_TEST_PYTHON"
"$python" -c 'import h5py, hdf5plugin' || { echo "skipped: $python lacks h5py or hdf5plugin"; exit 77; }
prepare() { "$GRIDGPT" prepare "$@"; }
# refused STATUS PART COMMAND...: the command fails with that status and says PART.
refused() {
    local wanted=$1 part=$2 got=0
    shift 2
    "$@" >out.txt 2>err.txt || got=$?
    [ "$got" = "$wanted" ] || fail "status $got, not $wanted: $* ($(cat err.txt))"
    grep -qF -- "$part" err.txt || fail "'$part' is not said: $(cat err.txt)"
}

"$python" - <<'P'
import array, json, random
random.seed(1)
END = 299
docs = [random.choices(range(END), k=random.choice([3, 50, 400])) for _ in range(300)]
docs[7] = random.choices(range(END), k=1200000)             # longer than a block and a record
docs[200], docs[250] = docs[7], docs[2]                     # duplicates, at other places of their blocks
docs[260] = []
flat = []
for d in docs:
    flat += d + [END]
array.array("H", flat).tofile(open("all.u16", "wb"))
array.array("I", flat[:-1]).tofile(open("all.u32", "wb"))   # the last end is put there
half = sum(len(d) + 1 for d in docs[:150])
array.array("H", flat[:half]).tofile(open("front.u16", "wb"))
array.array("H", flat[half:]).tofile(open("back.u16", "wb"))
with open("all.jsonl", "w") as f:
    for i, d in enumerate(docs):
        f.write(json.dumps(d if i % 2 else {"n": i, "ids": d}) + "\n" + ("\n" if i % 9 == 0 else ""))
seen = set()
with open("expected.ids", "w") as f:
    for d in docs:
        if d and tuple(d) not in seen:
            f.write(" ".join(map(str, d + [END])) + "\n")
            seen.add(tuple(d))
P

all="--vocab 300 --end-id 299 --val 0.1"
prepare --ids uint16 $all --out u16 all.u16 >u16.txt 2>log
grep -q "duplicates  2 documents" u16.txt || fail "$(cat u16.txt)"
prepare --ids uint32 $all --out u32 all.u32 >u32.txt 2>log
prepare --ids jsonl $all --out lines all.jsonl >lines.txt 2>log
mpirun -n 3 "$GRIDGPT" prepare --ids uint16 $all --out u3 front.u16 back.u16 >u3.txt 2>log
mpirun -n 2 "$GRIDGPT" prepare --ids jsonl $all --out lines2 - <all.jsonl >lines2.txt 2>log
for other in u32 lines u3 lines2; do diff -r u16 $other || fail "$other is not the same"; done
[ "$(ls u16 | tr '\n' ' ')" = "train-00000.h5 val-00000.h5 " ] || fail "in the folder: $(ls u16)"
"$GRIDGPT" inspect --verify u16/train-00000.h5 >inspect.txt || fail inspect
grep -qF "tokenizer    none: ids of another program" inspect.txt || fail "$(cat inspect.txt)"

# Without an end id a file is a document, and its last ids are for validation.
prepare --ids uint16 --vocab 300 --val 0.2 --out tail all.u16 >/dev/null 2>log
mpirun -n 3 "$GRIDGPT" prepare --ids uint16 --vocab 300 --val 0.2 --out tail3 all.u16 >/dev/null 2>log
diff -r tail tail3 || fail "the tail differs by ranks"
"$python" - <<'P' || fail "other ids than went in"
import array, h5py, hdf5plugin
def read(path):
    with h5py.File(path) as file:
        return file["tokens"][:].tolist(), file["documents"][:].tolist()
def documents(path):
    tokens, starts = read(path)
    return [tuple(tokens[a:b]) for a, b in zip(starts, starts[1:] + [len(tokens)])]
expected = [tuple(map(int, line.split())) for line in open("expected.ids")]
train, val = documents("u16/train-00000.h5"), documents("u16/val-00000.h5")
held = set(val)
assert 20 <= len(val) <= 40 and len(train) + len(val) == len(expected), (len(train), len(val), len(expected))
assert [d for d in expected if d not in held] == train and [d for d in expected if d in held] == val
ids = array.array("H", open("all.u16", "rb").read()).tolist()
tail_train, tail_val = read("tail/train-00000.h5")[0], read("tail/val-00000.h5")[0]
assert tail_train + tail_val == ids and len(tail_train) == int(0.8 * len(ids)), (len(tail_train), len(ids))
P

# What is wrong is said, and nothing is written (more of it in test_ids_block).
printf '[1, 2]\n\n{"ids": [3, 4, 299, 300]}\n' >bad.jsonl
refused 65 "bad.jsonl: line 3: id 4 of the list is 300, and --vocab 300 has ids from 0 to 299" mpirun -n 2 "$GRIDGPT" prepare --ids jsonl --vocab 300 --out no bad.jsonl
head -c 7 all.u16 >odd.u16
refused 65 "odd.u16: 7 bytes are no whole number of ids of 2 bytes" prepare --ids uint16 --vocab 300 --out no odd.u16
gzip -1 -c bad.jsonl >bad.jsonl.gz
refused 65 "bad.jsonl.gz: is packed" prepare --ids jsonl --vocab 300 --out no bad.jsonl.gz
refused 64 "--end-id 300 is not below --vocab 300" prepare --ids jsonl --vocab 300 --end-id 300 --out no all.jsonl
refused 64 "--tokenizer is for text; with --ids it says nothing" prepare --ids jsonl --vocab 300 --tokenizer x --out no all.jsonl
! compgen -G "no/*" >/dev/null || fail "something was written: $(ls no)"

# A model of them, which goes on, is evaluated and generates, by ids.
cat >settings.yaml <<'Y'
model: {layers: 1, heads: 2, width: 32, context: 32}
data: {train: u16/train-00000.h5, val: u16/val-00000.h5}
batch: {sequences: 8, micro: 2}
eval.sequences: 8
run.dir: run
Y
mpirun -n 2 "$GRIDGPT" train settings.yaml run.steps=2 >train.log 2>&1 || fail "train: $(cat train.log)"
"$GRIDGPT" train settings.yaml run.steps=3 >train.log 2>&1 || fail "train: $(cat train.log)"
grep -qF "resuming from run/checkpoints/step-00000002.h5" train.log || fail "$(cat train.log)"
grep -qF "vocabulary 300:" train.log || fail "$(cat train.log)"
"$GRIDGPT" evaluate run --data u16/val-00000.h5 --sequences 8 --json >evaluate.json 2>log || fail "evaluate: $(cat log)"
grep -qF '"bits_per_byte": null' evaluate.json || fail "$(cat evaluate.json)"
"$GRIDGPT" generate run --ids --prompt "1 2 3" --tokens 5 >generated.txt 2>log || fail "generate: $(cat log)"
[ "$(wc -w <generated.txt)" = 8 ] || fail "generated: $(cat generated.txt)"

# Vocabularies of other sizes are other vocabularies.
prepare --ids uint16 --vocab 301 --val 0 --out other all.u16 >/dev/null 2>log
refused 65 "were made with different tokenizers" "$GRIDGPT" train settings.yaml run.dir=no data.train='[u16/train-00000.h5, other/train-00000.h5]'
