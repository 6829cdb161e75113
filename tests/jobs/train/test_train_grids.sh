# The same run on every P x Q grid, alone and with two replicas, with and without ZeRO, and whatever it computes
# again instead of keeping: same losses, same gradient norms, same validation; checkpoints move from grid to grid;
# evaluation and generation do not care for the grid.
source "$GG_SOURCE/tests/jobs/training.sh"
shape="model.heads=12 model.width=48 batch.micro=12"

compare() { # RUN FIRST_LINE: that run's numbers against those of the run on one rank, from that line on
    for key in loss val_loss grad_norm; do
        paste <(values one $key | tail -n "+$2") <(values "$1" $key) | awk -v what="$1 $key" '
            NF < 2 { exit bad = 1 }
            { d = $1 - $2; if (d < 0) d = -d; if (d / $1 > worst) worst = d / $1 }
            END { printf "%s: largest relative difference %.2g of %d\n", what, worst, NR; exit bad || NR == 0 || worst > 1e-5 }' ||
            fail "$1: $key differs from that of one rank by more than 1e-5"
    done
}

train 1 one $shape checkpoint.every_steps=10
expect 0 "step 20: validation loss" one
[ "$(values one loss | wc -l)" = 20 ] || fail "not 20 losses"
for layout in "2 2x1" "2 1x2" "3 3x1" "3 1x3" "4 2x2" "4 4x1" "4 1x4" "6 3x2" "6 2x3" "4 2x1" "4 1x2" "4 1x2 zero" \
    "2 1x1 zero" "4 1x1 zero" "6 3x1 zero"; do
    set -- $layout
    name=on$1-$2${3:+-zero}
    # Half the micro-batch where there are more replicas: the global batch stays.
    replicas=$(($1 / ${2%x*} / ${2#*x})) micro=12
    [ $replicas -le 2 ] || micro=6
    train $1 $name $shape batch.micro=$micro parallel.grid=$2 ${3:+parallel.zero=1}
    expect 0 "D x P x Q = $replicas x ${2%x*} x ${2#*x}" $name
    [ "$(values $name loss | wc -l)" = 20 ] || fail "$name: not 20 losses"
    compare $name 1
done

# Recomputed activations have the same bits, on one rank and on a grid; a run may go on with another choice.
same() { # RUN OTHER FIRST_LINE: their numbers are the same to the last digit, from that line of OTHER on
    for key in loss val_loss grad_norm; do
        [ "$(values "$1" $key)" = "$(values "$2" $key | tail -n "+$3")" ] || fail "$1: $key is not that of $2"
    done
}
for choice in attention block; do
    train 1 $choice $shape compute.recompute=$choice
    expect 0 "compute.recompute: $choice" $choice
    same $choice one 1
    train 4 $choice-on-grid $shape compute.recompute=$choice parallel.grid=2x2
    expect 0 "step 20: validation loss" $choice-on-grid
    compare $choice-on-grid 1
done
mkdir -p changed/checkpoints
cp one/checkpoints/step-00000010.h5 changed/checkpoints/
train 1 changed $shape checkpoint.every_steps=10 compute.recompute=block
expect 0 "changed since that checkpoint: compute.recompute block (was none)" changed
[ "$(values changed loss)" = "$(values one loss | tail -n 10)" ] || fail "resumed with another recompute: other losses"

# Written on one grid, resumed on another.
for move in "4 2x2 6 3x2" "6 2x3 1 1x1"; do
    set -- $move
    name=from$2-to$4
    train $1 $name $shape parallel.grid=$2 run.steps=10 optim.schedule=constant
    expect 0 "checkpoint:" $name
    train $3 $name $shape parallel.grid=$4 run.steps=20 optim.schedule=constant
    expect 0 "resuming from" $name
done
paste <(values from2x2-to3x2 loss) <(values from2x3-to1x1 loss) | awk '
    { d = $1 - $2; if (d < 0) d = -d; if (d / $1 > 1e-5) exit bad = 1 } END { exit bad || NR != 20 }' ||
    fail "resumed on other grids, the losses differ"

for grid in "1 1x1" "2 2x1" "2 1x2" "4 2x2" "4 2x1"; do
    set -- $grid
    mpirun -n $1 "$GRIDGPT" evaluate one --data "data/val-*.h5" --micro 6 --grid $2 --json 2>/dev/null |
        sed 's/.*"loss": \([^,]*\).*/\1/' >>evaluations.txt
done
awk 'NR == 1 { first = $1 } { d = $1 - first; if (d < 0) d = -d; if (d / first > 1e-6) exit bad = 1 } END { exit bad || NR != 5 }' \
    evaluations.txt || fail "evaluations differ from grid to grid: $(cat evaluations.txt)"
"$GRIDGPT" generate one --prompt "the king" --seed 3 --tokens 40 >text1.txt
mpirun -n 3 "$GRIDGPT" generate one --prompt "the king" --seed 3 --tokens 40 >text3.txt
mpirun -n 4 "$GRIDGPT" generate one --prompt "the king" --seed 3 --tokens 40 --grid 2x2 >text4.txt
cmp text1.txt text3.txt && cmp text1.txt text4.txt || fail "the text differs from grid to grid"

# Grids that cannot work, with those that would.
train 4 refused $shape parallel.grid=3x1
expect 64 "parallel.grid 3x1 needs a multiple of 3 ranks, and there are 4; on 4 ranks these work: 2x1, 1x2, 4x1, 2x2, 1x4" refused
train 2 refused parallel.grid=1x2 batch.micro=3
expect 64 "2 token shards do not divide batch.micro 3" refused
[ ! -e refused ] || fail "a refused run left a folder"

# A rank that dies amid the products must not leave the others hanging.
mpirun_as_usual
mpirun -n 4 "$GRIDGPT" train settings.yaml run.dir=dies $shape parallel.grid=2x2 run.steps=100000 >dies.log 2>&1 &
job=$!
for _ in $(seq 100); do
    [ -s dies/metrics.jsonl ] && break
    sleep 0.2
done
pkill -KILL -n -f "run.dir=dies " || fail "no rank to kill"
for _ in $(seq 50); do
    kill -0 $job 2>/dev/null || break
    sleep 0.2
done
! kill -0 $job 2>/dev/null || fail "the job hangs after the death of a rank"
grep -q "signal 9" dies.log || { cat dies.log >&2; fail "nothing is said of the rank that died"; }
