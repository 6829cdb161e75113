# Shards that are deleted, cut short or replaced while a run reads them. The corpus has more chunks than the loader
# keeps, so that it reads all the time.
source "$GG_SOURCE/tests/jobs/training.sh"

sed 's/.*/{"text": "&"}/' text.txt >text.jsonl
"$GRIDGPT" prepare --tokenizer tokenizer.json --keep-duplicates --val 0 --shard-tokens 250 --out many text.jsonl \
    >>prepare.log 2>&1
shards=$(ls many/train-*.h5 | wc -l)
[ "$shards" -gt 60 ] || fail "only $shards shards"
mkdir other
"$GG_MAKE_SHARD" other/small.h5 tokenizer.json 300 150
"$GG_MAKE_SHARD" other/large.h5 tokenizer.json 300 5000

delete() { rm "$1"; }
truncate_short() { truncate -s 300 "$1"; } # into the chunk, which stands in front
empty() { : >"$1"; }
replace_small() { mv other/small.h5 "$1"; }
replace_large() { mv other/large.h5 "$1"; }
overwrite() { cat many/train-00008.h5 >"$1"; }
fifo() { mkfifo fifo && mv fifo "$1"; }

# lost HOW STATUS TEXT RANKS [key=value]...: the message is TEXT, behind the shard's name.
lost() {
    local how=$1 wanted=$2 text=$3 ranks=$4 name=$1-$4
    shift 4
    rm -rf kept && cp -r many kept
    train "$ranks" "$name" data.train='many/train-*.h5' data.val='[]' run.steps=6000 \
        checkpoint.every_steps=4 "$@" &
    local run=$! n
    for n in $(seq 600); do
        compgen -G "$name/checkpoints/step-*.h5" >/dev/null && break # any: older ones are removed
        sleep 0.1
    done
    "$how" many/train-00007.h5
    # The function's own variables are lost with its subshell.
    wait $run
    status=$(sed -n 's/^status //p' "$name.status")
    expect "$wanted" "many/train-00007.h5: $text" "$name"
    [ "$(grep -c '^gridgpt train:' "$name.log")" = 1 ] || { cat "$name.log" >&2; fail "$name: not one message"; }
    local newest
    newest=$(ls "$name"/checkpoints/step-*.h5 | tail -n 1)
    "$GRIDGPT" inspect --verify "$newest" >inspect.log 2>&1 || fail "$name: $(cat inspect.log)"
    [ -z "$(find "$name" -name '*.tmp')" ] || fail "$name: something is half-written"
    rm -rf many && mv kept many
}
eval "$(declare -f train | sed 's/^train /plain_train /')"
train() {
    plain_train "$@"
    echo "status $status" >"$2.status"
}

changed="was replaced or written to after it was opened"
lost delete 74 "could be opened before, but not now: No such file" 1
lost delete 74 "could be opened before, but not now: No such file" 2 parallel.grid=2x1
lost truncate_short 65 "$changed" 2
lost empty 65 "$changed" 3
lost replace_small 65 "$changed" 1
lost replace_large 65 "$changed" 2 batch.micro=2 parallel.grid=1x2
lost overwrite 65 "$changed" 2 parallel.zero=1
lost fifo 65 "$changed" 2 checkpoint.async=false

# With the shard in its place again the same command goes on.
status=0
plain_train 2 delete-1 data.train='many/train-*.h5' data.val='[]' run.steps=100
expect 0 "trained" delete-1

# Validation reads shards as well.
train 2 val data.train='many/train-*.h5' data.val='many/train-*.h5' eval.every_steps=1 eval.sequences=0 \
    run.steps=6000 checkpoint.every_steps=4 &
for _ in $(seq 600); do
    compgen -G 'val/checkpoints/step-*.h5' >/dev/null && break
    sleep 0.1
done
rm many/train-00007.h5
wait $!
status=$(sed -n 's/^status //p' val.status)
expect 74 "many/train-00007.h5: could be opened before, but not now: No such file" val
