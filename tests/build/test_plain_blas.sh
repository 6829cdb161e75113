# Plain BLAS, as where there is no oneDNN, and what a run says about it.
unset GRIDGPT_GEMM_SECONDS # the rate as users see it
source "$GG_SOURCE/tests/build/library.sh"

build_with gridgpt -- -DGG_GEMM=blas
must_pass test_processor test_attention test_matmul test_gpt test_gpt_golden test_tiles
grep -qxF "matmul: BLAS in fp32" test_gpt_golden.log || fail "another library: $(cat test_gpt_golden.log)"

bench() { mpirun -n "$1" ./build/gridgpt bench --repeats 1 model.layers=1 model.width=64 model.heads=2 model.context=32 model.vocab=500 \
    batch.sequences=2 batch.micro=1 "${@:2}"; }
# notes N NAME: so many lines about plain BLAS on standard error.
notes() { [ "$(grep -c "^note: .*plain BLAS" "$2.err" || true)" = "$1" ] || fail "$2: $(cat "$2.err")"; }

bench 2 --alone --compare batch.micro=1 >fp32.out 2>fp32.err || fail "$(cat fp32.err)"
notes 1 fp32
grep -qE "plain BLAS at [0-9.]+ GFLOP/s over all ranks, [0-9]+% of .* peak; .*libdnnl-dev" fp32.err || fail "$(cat fp32.err)"
# says_of_bf16 NAME: what the note in fp32 says of it.
says_of_bf16() {
    local text="There is no bf16: $(processor lack)"
    [ "$(processor maker)" != tiles ] || text="bf16 is AMX's here, and wants oneDNN only for the tiles of a parallel.grid"
    grep -qF " $text. oneDNN is" "$1.err" || fail "$1: not '$text': $(cat "$1.err")"
}
says_of_bf16 fp32
grep -q "^GEMM rate .*(BLAS in fp32" fp32.out || fail "$(cat fp32.out)"
# The tests' own build is on oneDNN, and has nothing to say.
if grep -q "libdnnl" <(ldd "$GRIDGPT"); then
    "$GRIDGPT" bench --repeats 1 model.layers=1 model.width=64 model.heads=2 model.context=32 model.vocab=500 >own.out 2>own.err
    notes 0 own
fi

# bf16 is AMX's or nobody's.
bf16_tests=(test_bf16 test_gpt_bf16)
if [ "$(processor maker)" = tiles ]; then
    must_pass "${bf16_tests[@]}"
    grep -qxF "matmul: gridgpt's AMX tiles in bf16" test_bf16.log || fail "$(cat test_bf16.log)"
    bench 1 compute.precision=bf16 >amx.out 2>amx.err || fail "$(cat amx.err)"
    notes 0 amx # no product is BLAS's
    bench 2 compute.precision=bf16 parallel.grid=2x1 >grid.out 2>grid.err || fail "$(cat grid.err)"
    notes 1 grid
    grep -q "in fp32 by plain BLAS" grid.err || fail "$(cat grid.err)"
fi
export GRIDGPT_AMX=0
[ "$(processor maker)" = none ] || fail "bf16 by $(processor maker)"
must_pass test_processor test_tiles
must_skip "${bf16_tests[@]}"
bench 1 >nobody.out 2>nobody.err || fail "$(cat nobody.err)"
says_of_bf16 nobody
status=0
bench 1 compute.precision=bf16 >none.out 2>none.err || status=$?
[ $status = 64 ] && grep -qF "bf16 cannot be computed on 1 of 1 ranks (rank 0: $(processor lack)); use compute.precision=fp32" none.err ||
    fail "status $status: $(cat none.err)"
