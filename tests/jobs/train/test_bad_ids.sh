# Ids that are not in the vocabulary never reach the model, whatever a shard says of itself and however right its
# checksums are: status 65 with the shard's name, on every rank together.
source "$GG_SOURCE/tests/jobs/training.sh"

one_message() { # NAME
    [ "$(grep -c '^gridgpt [a-z]*:' "$1.log")" = 1 ] || { cat "$1.log" >&2; fail "$1: not one message"; }
}
run() { # NAME COMMAND...
    local name=$1
    shift
    status=0
    timeout 60 "$@" >"$name.log" 2>&1 || status=$?
}

mkdir bad
cp tokenizer.json bad/
# Says 65536, the tokenizer has 300: the shard itself is in order.
"$GG_MAKE_SHARD" bad/wide.h5 tokenizer.json 65536 20000 777 60000
# Says 300, and one id of the last chunk is beyond: some steps pass before a rank comes upon it.
"$GG_MAKE_SHARD" bad/last.h5 tokenizer.json 300 1051576 1050000 300
"$GG_MAKE_SHARD" bad/single.h5 tokenizer.json 300 20000 19999 65535
"$GG_MAKE_SHARD" bad/good.h5 tokenizer.json 300 20000 19999 299

train 2 run run.steps=3 data.train=bad/good.h5 data.val='[]'
expect 0 "trained 3 steps" run

for ranks in 1 2; do
    train $ranks wide data.train=bad/wide.h5 data.val='[]'
    expect 65 "bad/wide.h5: says that its vocabulary has 65536 ids" wide
    one_message wide
    [ ! -e wide ] || fail "a run folder was made"
    train $ranks val data.train=bad/good.h5 data.val=bad/wide.h5
    expect 65 "data.val" val
    run evaluate mpirun -n $ranks "$GRIDGPT" evaluate run --data bad/wide.h5
    expect 65 "bad/wide.h5: says that its vocabulary has 65536 ids" evaluate
done
train 1 mixed data.train='[bad/good.h5, bad/wide.h5]' data.val='[]'
expect 65 "bad/good.h5 and bad/wide.h5 were made with different tokenizers" mixed

for layout in "1 1x1" "2 1x1" "3 1x1" "2 2x1" "2 1x2"; do
    set -- $layout
    train "$1" "last-$1-$2" data.train=bad/last.h5 data.val='[]' parallel.grid="$2" run.steps=3000 model.dropout=0
    expect 65 "bad/last.h5: token 1050000 (in chunk 1) is id 300, and the vocabulary's last is 299" "last-$1-$2"
    one_message "last-$1-$2"
    # It began, and what it had saved or would have is not touched.
    grep -q '"step":' "last-$1-$2/metrics.jsonl" || fail "no step passed before"
done
train 2 val-single data.train=bad/good.h5 data.val=bad/single.h5
expect 65 "bad/single.h5: token 19999 (in chunk 0) is id 65535" val-single
for ranks in 1 2; do
    run evaluate mpirun -n $ranks "$GRIDGPT" evaluate run --data bad/single.h5
    expect 65 "bad/single.h5: token 19999 (in chunk 0) is id 65535" evaluate
    one_message evaluate
    run bench mpirun -n $ranks "$GRIDGPT" bench settings.yaml data.train=bad/single.h5 data.val='[]'
    expect 65 "bad/single.h5: token 19999 (in chunk 0) is id 65535" bench
    one_message bench
done

run inspect "$GRIDGPT" inspect bad/wide.h5 --verify
expect 65 "bad/wide.h5: token 777 (in chunk 0) is id 60000, and the vocabulary's last is 299" inspect
run inspect "$GRIDGPT" inspect bad/last.h5 --verify
expect 65 "bad/last.h5: token 1050000 (in chunk 1) is id 300" inspect
"$GG_MAKE_SHARD" bad/claims.h5 tokenizer.json 301 20000 # all ids are good, and yet
run inspect "$GRIDGPT" inspect bad/claims.h5 --verify
expect 65 "bad/claims.h5: says that its vocabulary has 301 ids" inspect
run inspect "$GRIDGPT" inspect bad/good.h5 --verify
expect 0 "every id is in the vocabulary" inspect
! grep -q "as the shard gives it" inspect.log || fail "not compared with the tokenizer beside it"
mkdir alone
cp bad/good.h5 alone/
run inspect "$GRIDGPT" inspect alone/good.h5 --verify
expect 0 "as the shard gives it: there is no tokenizer.json beside it" inspect
