# Members of GPT's family other than GPT-2, trained on several layouts: the losses, gradient norms and validation of
# one rank; resumed on another layout; evaluated and made to write on any grid.
source "$GG_SOURCE/tests/jobs/training.sh"
sed -i 's/micro: 2/micro: 12/' settings.yaml
# As Qwen3, with a window besides.
llama="model.heads=12 model.kv_heads=4 model.head_size=4 model.width=48 model.mlp_width=96 model.norm=rmsnorm
    model.positions=rotary model.activation=swiglu model.biases=false model.qk_norm=true model.attention=banded
    model.window=9"
gpt1="model.heads=4 model.norm_place=post"
gpt3="model.heads=4 model.attention=alternating model.window=5 model.tied=false"

compare() { # RUN OTHER: the numbers of every step are those of the other run
    for key in loss val_loss grad_norm; do
        paste <(values "$2" $key) <(values "$1" $key) | awk -v what="$1 $key" '
            NF < 2 { exit bad = 1 }
            { d = $1 - $2; if (d < 0) d = -d; if (d / $1 > worst) worst = d / $1 }
            END { printf "%s: largest relative difference %.2g of %d\n", what, worst, NR; exit bad || NR == 0 || worst > 1e-5 }' ||
            fail "$1: $key differs from that of $2 by more than 1e-5"
    done
}

run() { # NAME RANKS GRID [key=value]...
    train "$2" "$1" parallel.grid="$3" "${@:4}"
    expect 0 "step 20: validation loss" "$1"
    [ "$(values "$1" loss | wc -l)" = 20 ] || fail "$1: not 20 losses"
}

run llama 1 1x1 $llama
for layout in "2 1x2" "4 2x2" "4 4x1" "4 2x1" "3 1x3"; do
    set -- $layout
    run llama-$1-$2 $1 $2 $llama $([ "$1-$2" = 4-2x1 ] && echo parallel.zero=1)
    compare llama-$1-$2 llama
done
run llama-block 2 2x1 $llama compute.recompute=block
compare llama-block llama
for member in gpt1 gpt3; do
    run $member 1 1x1 ${!member}
    run $member-4-2x2 4 2x2 ${!member}
    compare $member-4-2x2 $member
done

# Written on one layout, resumed on another.
train 4 moved $llama parallel.grid=2x2 run.steps=10 optim.schedule=constant
expect 0 "checkpoint:" moved
train 4 moved $llama parallel.grid=4x1 optim.schedule=constant
expect 0 "resuming from" moved
run constant 1 1x1 $llama optim.schedule=constant
[ "$(values moved loss | wc -l)" = 20 ] || fail "moved: not 20 losses"
paste <(values constant loss) <(values moved loss) | awk '{ d = $1 - $2; if (d < 0) d = -d; if (d / $1 > 1e-5) exit 1 }' ||
    fail "resumed on another layout, the losses differ"

train 3 refused $llama parallel.grid=3x1
expect 64 "3 feature shards do not divide model.kv_heads 4; on 3 ranks these work: 1x3" refused
[ ! -e refused ] || fail "a refused run left a folder"
train 1 llama model.layers=2 $llama model.window=8
expect 64 "model.window" llama

for run in llama gpt1 gpt3; do
    rm -f evaluations.txt
    for grid in "1 1x1" "2 1x2" "4 2x2"; do
        set -- $grid
        mpirun -n $1 "$GRIDGPT" evaluate $run --data "data/val-*.h5" --micro 6 --grid $2 --json 2>evaluate.log |
            sed 's/.*"loss": \([^,]*\).*/\1/' >>evaluations.txt
    done
    awk 'NR == 1 { first = $1 } { d = $1 - first; if (d < 0) d = -d; if (d / first > 1e-6) exit bad = 1 } END { exit bad || NR != 3 }' \
        evaluations.txt || fail "$run: evaluations differ from grid to grid: $(cat evaluations.txt)"
    # Also beyond the context of 32.
    "$GRIDGPT" generate $run --prompt "the king" --seed 3 --tokens 60 >text1.txt 2>generate.log
    mpirun -n 4 "$GRIDGPT" generate $run --prompt "the king" --seed 3 --tokens 60 --grid 2x2 >text4.txt 2>generate.log
    grep -q "^the king" text1.txt && cmp text1.txt text4.txt || fail "$run: the text differs from grid to grid"
done
