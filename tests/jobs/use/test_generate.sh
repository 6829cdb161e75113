# evaluate and generate on a run: the numbers of the run itself, and what sampling promises.
source "$GG_SOURCE/tests/jobs/training.sh"

train 2 run eval.sequences=0 run.steps=30
expect 0 "step 30: validation loss" run
wanted=$(values run val_loss | tail -n 1)
for ranks in 1 3; do
    mpirun -n $ranks "$GRIDGPT" evaluate run --data data/val-00000.h5 --micro 2 --json >evaluation.json 2>evaluate.log
    "$GG_TEST_PYTHON" - "$wanted" <<'P' || fail "$ranks ranks: $(cat evaluation.json), validation loss of the run: $wanted"
import json, math, sys
e, wanted = json.load(open("evaluation.json")), float(sys.argv[1])
assert abs(e["loss"] - wanted) <= 1e-6 * wanted, (e, wanted)
assert abs(e["perplexity"] - math.exp(e["loss"])) < 1e-6 * e["perplexity"]
import h5py
shard = h5py.File("data/val-00000.h5")
bytes_per_token = shard.attrs["text_bytes"] / shard["tokens"].shape[0]
assert abs(e["bits_per_byte"] - e["loss"] / math.log(2) / bytes_per_token) < 1e-4 * e["bits_per_byte"], (e, bytes_per_token)
P
done
"$GRIDGPT" evaluate run --data data/val-00000.h5 --sequences 3 2>/dev/null | grep -q "tokens  *96 " || fail "not 3 sequences"

generate() { "$GRIDGPT" generate "$@" 2>generate.log || fail "generate $*: $(cat generate.log)"; }
generate run --prompt "the king" --seed 5 --tokens 30 >a.txt
generate run --prompt "the king" --seed 5 --tokens 30 >b.txt
generate run --prompt "the king" --seed 6 --tokens 30 >c.txt
cmp -s a.txt b.txt || fail "the same seed gives another text"
! cmp -s a.txt c.txt || fail "another seed gives the same text"
grep -q "^the king" a.txt || fail "the prompt is not in front"
generate run --prompt "the king" --seed 5 --temperature 0 --tokens 30 >greedy5.txt
generate run --prompt "the king" --seed 6 --temperature 0 --tokens 30 >greedy6.txt
generate run --prompt "the king" --seed 7 --top-k 1 --tokens 30 >top1.txt
cmp -s greedy5.txt greedy6.txt && cmp -s greedy5.txt top1.txt || fail "temperature 0 and top-k 1 are not the likeliest"
echo -n "the king" | generate run --prompt - --seed 5 --tokens 30 | cmp -s - a.txt || fail "a prompt from standard input"
# A long prompt costs no more than its end that fits the context.
head -c 5000000 < <(yes "the king and queen of every land") >long.txt
timeout 60 "$GRIDGPT" generate run --prompt - --seed 5 --tokens 30 <long.txt >long.out 2>generate.log || fail "a prompt of 5 MB: $(cat generate.log)"
head -c 5000000 long.out | cmp -s - long.txt || fail "a prompt of 5 MB is not in front"
generate run --seed 1 --tokens 100 >unprompted.txt # more than the context of 32, from <|endoftext|>
[ "$(wc -c <unprompted.txt)" -gt 100 ] || fail "no text beyond the context"
generate run/checkpoints/step-00000030.h5 --prompt "the king" --seed 5 --tokens 30 | cmp -s - a.txt || fail "by the file's name"

# Documents of a few words: the model learns where they end.
for _ in $(seq 1500); do echo '{"text": "red bird sang"}'; done >short.jsonl
"$GRIDGPT" prepare --tokenizer tokenizer.json --keep-duplicates --val 0 --out short short.jsonl >>prepare.log 2>&1
train 2 short-run data.train=short/train-00000.h5 data.val=[] run.steps=60 model.dropout=0
expect 0 "trained 60 steps" short-run
generate short-run --prompt "red" --temperature 0 --tokens 200 >short.txt
[ "$(cat short.txt)" = "red bird sang" ] || fail "it does not stop at <|endoftext|>: $(head -c 200 short.txt)"

refused() { # STATUS PART COMMAND...
    local wanted=$1 part=$2 got=0
    shift 2
    "$@" >refused.out 2>refused.err || got=$?
    [ $got = "$wanted" ] || fail "status $got, not $wanted: $* ($(cat refused.err))"
    grep -qF -- "$part" refused.err || fail "'$part' is not said: $(cat refused.err)"
}
refused 74 "nowhere" "$GRIDGPT" generate nowhere
refused 74 "a folder without checkpoints" "$GRIDGPT" generate data
refused 65 "text.txt" "$GRIDGPT" generate text.txt
head -c 20000 run/checkpoints/step-00000030.h5 >torn.h5
refused 65 "torn.h5" "$GRIDGPT" generate torn.h5
refused 64 "--temprature" "$GRIDGPT" generate run --temprature 1
refused 64 "a number from 0 to 1" "$GRIDGPT" generate run --top-p 2
refused 64 "--data is wanted" "$GRIDGPT" evaluate run
mkfifo fifo.h5
refused 65 "fifo.h5: is a FIFO, not a file" timeout 60 "$GRIDGPT" evaluate run --data fifo.h5
refused 64 "are the same file" "$GRIDGPT" evaluate run --data data/val-00000.h5 ./data/val-00000.h5
refused 74 "gone.h5" "$GRIDGPT" evaluate run --data gone.h5
"$GRIDGPT" tokenizer train --vocab 280 --out other.json text.txt >>prepare.log 2>&1
"$GRIDGPT" prepare --tokenizer other.json --val 0 --out other text.txt >>prepare.log 2>&1
refused 65 "another tokenizer" "$GRIDGPT" evaluate run --data other/train-00000.h5
