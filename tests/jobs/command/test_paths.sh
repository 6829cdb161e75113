# Names that are not UTF-8, and other awkward ones. As a setting they are refused before anything is written, for a
# run with them could not be gone on with; given on a command line alone they work.
source "$GG_SOURCE/tests/jobs/training.sh"
odd=$'x\xffy'

for name in run.dir data.train data.val data.tokenizer; do
    for ranks in 1 2; do
        before=$(ls -A | sort)
        : >refused.log
        status=0
        mpirun -n $ranks "$GRIDGPT" train settings.yaml "$name=$odd" >refused.log 2>&1 || status=$?
        expect 64 "command line: setting $name is '" refused
        expect 64 "which is not UTF-8 from byte 1 on; rename the file or folder" refused
        [ "$(ls -A | grep -v refused.log | sort)" = "$(echo "$before" | grep -v refused.log)" ] || fail "$name: something was written"
    done
done

# All that stands on command lines alone.
mkdir "$odd"
"$GRIDGPT" tokenizer train --vocab 300 --out "$odd/t.json" text.txt >odd.log 2>&1 || fail "tokenizer: $(cat odd.log)"
cp text.txt "$odd/"
mpirun -n 2 "$GRIDGPT" prepare --tokenizer "$odd/t.json" --val 0.1 --out "$odd/data" "$odd/text.txt" >odd.log 2>&1 ||
    fail "prepare: $(cat odd.log)"
cmp -s data/train-00000.h5 "$odd/data/train-00000.h5" || fail "prepared otherwise"
cp settings.yaml "$odd/settings.yaml"
mpirun -n 2 "$GRIDGPT" train "$odd/settings.yaml" run.dir=run run.steps=3 >odd.log 2>&1 || fail "train: $(cat odd.log)"
cp -r run "$odd/run"
for checkpoint in "$odd/run" "$odd/run/checkpoints/step-00000003.h5"; do
    for ranks in 1 2; do
        mpirun -n $ranks "$GRIDGPT" evaluate "$checkpoint" --data "$odd/data/val-00000.h5" --json >odd.json 2>odd.log ||
            fail "evaluate: $(cat odd.log)"
        "$GG_TEST_PYTHON" -c 'import json; e = json.load(open("odd.json", encoding="utf-8")); assert "x\ufffdy/run" in e["checkpoint"], e' ||
            fail "evaluate --json: $(cat odd.json)"
    done
    "$GRIDGPT" evaluate "$checkpoint" --data "$odd/data/val-*.h5" >odd.log 2>&1 || fail "evaluate: $(cat odd.log)"
    "$GRIDGPT" generate "$checkpoint" --tokens 5 >odd.log 2>&1 || fail "generate: $(cat odd.log)"
done
for file in "$odd/run/checkpoints/step-00000003.h5" "$odd/data/val-00000.h5"; do
    "$GRIDGPT" inspect "$file" --verify >odd.log 2>&1 || fail "inspect: $(cat odd.log)"
done
TMPDIR=$PWD/$odd "$GRIDGPT" bench settings.yaml data.train='[]' data.val='[]' >odd.log 2>&1 || fail "bench: $(cat odd.log)"

# A setting whose own text is UTF-8 while what it leads to is not: patterns, and the working directory. And names
# that YAML would take for line ends or refuse.
goes_on() { # NAME [key=value]...: a run, gone on with, and used
    local name=$1
    shift
    rm -rf "$name"
    for steps in 3 6; do
        mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir="$name" run.steps=$steps "$@" >odd.log 2>&1 ||
            fail "train, to step $steps: $(cat odd.log)"
    done
    "$GRIDGPT" evaluate "$name" --data data/val-00000.h5 >odd.log 2>&1 || fail "evaluate: $(cat odd.log)"
    "$GRIDGPT" generate "$name" --tokens 5 >odd.log 2>&1 || fail "generate: $(cat odd.log)"
}
cp tokenizer.json "$odd/data/"
goes_on pattern data.train='x?y/data/train-*.h5' data.val='x?y/data/val-*.h5'
goes_on $' odd\u0085\u2028\u009f\ufeff\t"\\\'#: \u00e4 '
cp -r data settings.yaml "$odd/"
(cd "$odd" && goes_on here)
