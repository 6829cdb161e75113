# The commands that keep no run die of a signal, as usual; no file has its final name before it is whole.
source "$GG_SOURCE/tests/fault/signals.sh"

status=0
died() { # NAME COMMAND...: of SIGTERM
    local name=$1
    shift
    status=0
    "$@" >"$name.log" 2>&1 || status=$?
    sent "$name"
    [ "$status" = 143 ] || { cat "$name.log" >&2; fail "$name: exit status $status, not 143"; }
}

# whole_corpus FOLDER: what is there is whole.
whole_corpus() {
    local file
    for file in "$1"/*.h5; do
        [ -e "$file" ] || continue
        "$GRIDGPT" inspect --verify "$file" >inspect.log 2>&1 || { cat inspect.log >&2; fail "$file is not whole"; }
    done
    [ ! -e "$1/tokenizer.json" ] || cmp -s "$1/tokenizer.json" tokenizer.json || fail "$1/tokenizer.json is not whole"
}

split -l 100 text.txt part
prepare=("$GRIDGPT" prepare --tokenizer tokenizer.json --val 0.2 --shard-tokens 4000)
"${prepare[@]}" --out reference part* >reference.log 2>&1
for place in MPI_Init_thread:1 fsync:1 rename:1 rename:2 rename:4 fsync:7; do
    signal $place TERM all died "prepare$place" "${prepare[@]}" --out "$place" part*
    whole_corpus "$place"
    "${prepare[@]}" --out "$place" --overwrite part* >again.log 2>&1 || { cat again.log >&2; fail "$place: not again"; }
    for file in reference/*; do
        cmp -s "$file" "$place/${file#*/}" || fail "$place: ${file#*/} is another"
    done
    [ "$(find "$place" -type f | wc -l)" = "$(find reference -type f | wc -l)" ] || fail "$place: files are left over"
done
for place in fsync:1 rename:1; do
    signal $place TERM all died "tokenizer$place" "$GRIDGPT" tokenizer train --vocab 280 --out small.json text.txt
    [ ! -e small.json ] || fail "tokenizer train: written before it was whole"
done

train 1 run run.steps=1
expect 0 "trained 1 steps" run
before=$(checksums run/checkpoints/step-00000001.h5)
signal sum:20 TERM all died evaluate "$GRIDGPT" evaluate run --data data/val-00000.h5
signal MPI_Init_thread:1 TERM all died generate "$GRIDGPT" generate run --prompt the
for place in fsync:1 rename:1; do
    signal $place TERM all died "import$place" "$GRIDGPT" import "$GG_SOURCE/tests/golden/huggingface/llama" --out new.h5
    [ ! -e new.h5 ] || fail "import: written before it was whole"
done
for place in fsync:1 rename:1 rename:4 fsync:6; do
    signal $place TERM all died "export$place" "$GRIDGPT" export run --out folder --shard-bytes 20k
    [ ! -e folder ] || fail "export: there before it was whole"
done
"$GRIDGPT" export run --out folder --shard-bytes 20k
[ ! -e folder.tmp ] || fail "export: left what a killed one had written"
mkdir temporary
TMPDIR=$PWD/temporary signal MPI_Barrier:1 TERM all died bench "$GRIDGPT" bench settings.yaml --repeats 1
[ "$(checksums run/checkpoints/step-00000001.h5)" = "$before" ] || fail "the checkpoint is another"
