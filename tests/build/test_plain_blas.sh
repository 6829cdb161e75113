# Plain BLAS, as where there is no oneDNN, and what a run says about it.
source "$GG_SOURCE/tests/build/library.sh"

build_with gridgpt -- -DGG_GEMM=blas
must_pass test_attention test_matmul test_gpt test_gpt_golden test_tiles
grep -qxF "matmul: BLAS in fp32" test_gpt_golden.log || fail "another library: $(cat test_gpt_golden.log)"

bench() { mpirun -n "$1" ./build/gridgpt bench --repeats 1 model.layers=1 model.width=64 model.heads=2 model.context=32 model.vocab=500 \
    batch.sequences=2 batch.micro=1 "${@:2}"; }
# notes N NAME: so many lines about plain BLAS on standard error.
notes() { [ "$(grep -c "^note: .*plain BLAS" "$2.err" || true)" = "$1" ] || fail "$2: $(cat "$2.err")"; }

bench 2 --alone --compare batch.micro=1 >fp32.out 2>fp32.err || fail "$(cat fp32.err)"
notes 1 fp32
grep -qE "plain BLAS at [0-9.]+ GFLOP/s over all ranks, [0-9]+% of .* peak; .*bf16 .*libdnnl-dev" fp32.err || fail "$(cat fp32.err)"
grep -q "^GEMM rate .*(BLAS in fp32" fp32.out || fail "$(cat fp32.out)"
# The tests' own build is on oneDNN, and has nothing to say.
if grep -q "libdnnl" <(ldd "$GRIDGPT"); then
    "$GRIDGPT" bench --repeats 1 model.layers=1 model.width=64 model.heads=2 model.context=32 model.vocab=500 >own.out 2>own.err
    notes 0 own
fi

# bf16 is AMX's or nobody's.
bf16_tests=(test_bf16 test_gpt_bf16)
run_test test_bf16
if [ $status = 0 ]; then
    grep -qxF "matmul: gridgpt's AMX tiles in bf16" test_bf16.log || fail "$(cat test_bf16.log)"
    must_pass test_gpt_bf16
    bench 1 compute.precision=bf16 >amx.out 2>amx.err || fail "$(cat amx.err)"
    notes 0 amx # no product is BLAS's
    bench 2 compute.precision=bf16 parallel.grid=2x1 >grid.out 2>grid.err || fail "$(cat grid.err)"
    notes 1 grid
    grep -q "in fp32 by plain BLAS" grid.err || fail "$(cat grid.err)"
else
    ! processor_has amx_bf16 || [ $status = 77 ] || fail "test_bf16, status $status: $(cat test_bf16.log)"
fi
export GRIDGPT_AMX=0
must_skip "${bf16_tests[@]}"
status=0
bench 1 compute.precision=bf16 >none.out 2>none.err || status=$?
[ $status = 64 ] && grep -q "and oneDNN (here: BLAS)" none.err || fail "status $status: $(cat none.err)"
