# bf16: the same losses on ranks and grids to its rounding, the end of an fp32 run within 1 %, going on from a
# checkpoint, evaluate and generate, and refusal or fallback where the processor has none.
source "$GG_SOURCE/tests/jobs/training.sh"

# A processor without bf16, as far as may be known: refused, or fp32 instead.
without_bf16() {
    local lack
    export DNNL_MAX_CPU_ISA=AVX512_CORE ONEDNN_MAX_CPU_ISA=AVX512_CORE GRIDGPT_AMX=0
    lack="(rank 0: $("$GG_PROCESSOR" lack))"
    [ "$("$GG_PROCESSOR" maker)" = none ] || fail "bf16 by $("$GG_PROCESSOR" maker)"
    train 2 none compute.precision=bf16
    expect 64 "bf16 cannot be computed on 2 of 2 ranks $lack; use compute.precision=fp32, or compute.fallback=fp32" none
    [ ! -e none ] || fail "a run folder was made"
    train 1 fallback $steps compute.precision=bf16 compute.fallback=fp32
    expect 0 "1 of 1 ranks have no bf16 $lack; computing in fp32" fallback
    train 1 lesser $steps
    [ "$(values fallback loss)" = "$(values lesser loss)" ] || fail "the fallback is not fp32"
}

steps="run.steps=60 optim.warmup=10"
if [ "$("$GG_PROCESSOR" maker)" = none ]; then
    without_bf16
    echo "skipped: no bf16: $("$GG_PROCESSOR" lack)"
    exit 77
fi
train 1 probe compute.precision=bf16 run.steps=1
expect 0 "their bf16 copy" probe

# close KEY TOLERANCE RUN OTHER: every value of RUN's metrics is that of OTHER to so much of itself.
close() {
    [ "$(values "$3" "$1" | wc -l)" -gt 0 ] || fail "$3 has no $1"
    paste <(values "$3" "$1") <(values "$4" "$1") | awk -v what="$1 of $3 and $4" -v most="$2" '
        { d = $1 - $2; if (d < 0) d = -d; if (NF != 2 || d / $2 > worst) { worst = NF != 2 ? 1 : d / $2; at = NR } }
        END { printf "%s: largest relative difference %.2g (line %d)\n", what, worst, at; exit worst > most }' ||
        fail "$1 of $3 differs from that of $4 by more than $2"
}

train 1 fp32 $steps
expect 0 "step 60: validation loss" fp32
train 1 bf16 $steps compute.precision=bf16 checkpoint.every_steps=30
expect 0 "step 60: validation loss" bf16
close val_loss 0.01 bf16 fp32
close loss 0.01 bf16 fp32
[ "$(values bf16 loss)" != "$(values fp32 loss)" ] || fail "bf16 gave the bits of fp32"

# What differs is the order of fp32 sums, and where a value near the border is rounded to.
train 2 on2 $steps compute.precision=bf16
expect 0 "step 60: validation loss" on2
close loss 2e-3 on2 bf16
train 2 zero $steps compute.precision=bf16 parallel.zero=1
expect 0 "step 60: validation loss" zero
close loss 2e-3 zero bf16
close loss 1e-6 zero on2
for grid in 2x1 1x2; do
    train 2 on$grid $steps compute.precision=bf16 parallel.grid=$grid
    expect 0 "step 60: validation loss" on$grid
    close loss 2e-3 on$grid bf16
done

# From the checkpoint of step 30, which holds fp32 weights only, to the bits of the run that went through.
mkdir -p again/checkpoints
cp bf16/checkpoints/step-00000030.h5 again/checkpoints/
train 1 again $steps compute.precision=bf16 checkpoint.every_steps=30
expect 0 "resuming from" again
[ "$(values again loss)" = "$(values bf16 loss | tail -n 30)" ] || fail "the resumed run has other losses"

# The model is used as it was trained, or as it is said.
"$GRIDGPT" evaluate bf16 --data data/val-00000.h5 --json >own.json
"$GRIDGPT" evaluate bf16 --data data/val-00000.h5 --json --precision bf16 >bf16.json
"$GRIDGPT" evaluate bf16 --data data/val-00000.h5 --json --precision fp32 >fp32.json
loss_of() { sed -n 's/.*"loss": *\([^,}]*\).*/\1/p' "$1"; }
[ "$(loss_of own.json)" = "$(loss_of bf16.json)" ] || fail "evaluate did not take the checkpoint's precision"
[ "$(loss_of own.json)" != "$(loss_of fp32.json)" ] || fail "evaluate --precision fp32 gave the bits of bf16"
awk -v a="$(loss_of own.json)" -v b="$(loss_of fp32.json)" 'BEGIN { d = a - b; exit !(d < 0.01 && d > -0.01) }' ||
    fail "evaluate: bf16 and fp32 differ"
"$GRIDGPT" generate bf16 --prompt "the king" --tokens 60 --temperature 0 >text.bf16
[ "$(wc -c <text.bf16)" -gt 60 ] || fail "generate wrote nothing"

# One of two ranks has none: the message says what that one lacks.
status=0
lesser="DNNL_MAX_CPU_ISA=AVX512_CORE ONEDNN_MAX_CPU_ISA=AVX512_CORE GRIDGPT_AMX=0"
mixed="train settings.yaml run.dir=mixed compute.precision=bf16"
mpirun -n 1 "$GRIDGPT" $mixed : -n 1 env $lesser "$GRIDGPT" $mixed >mixed.log 2>&1 || status=$?
expect 64 "bf16 cannot be computed on 1 of 2 ranks (rank 1: $(env $lesser "$GG_PROCESSOR" lack)); use" mixed

without_bf16
"$GRIDGPT" evaluate bf16 --data data/val-00000.h5 >evaluate.log 2>&1 || fail "evaluate did not fall back"
status=0
"$GRIDGPT" evaluate bf16 --data data/val-00000.h5 --precision bf16 >evaluate.log 2>&1 || status=$?
expect 64 "bf16 cannot be computed on 1 of 1 ranks (rank 0: $("$GG_PROCESSOR" lack)); use --precision fp32" evaluate
