# Sourced: builds what multiplies matrices, and the unit tests that look at it, with another library than the tests'
# own build. In ./build, which a later run brings up to date.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
skip() { echo "skipped: $*"; exit 77; }
[ -z "$GG_SANITIZE" ] || skip "a matter of the plain build"
# Linked with core/ alone.
unit_tests=(test_processor test_attention test_matmul test_tiles test_bf16 test_gpt test_gpt_bf16 test_gpt_golden)

# build_with TARGETS -- DEFINITIONS...: those targets beside the unit tests.
build_with() {
    local targets=()
    while [ "$1" != -- ]; do targets+=("$1"); shift; done
    shift
    rm -f build/CMakeCache.txt
    cmake -G Ninja -S "$GG_SOURCE" -B build -DCMAKE_BUILD_TYPE=Release -DGG_TESTS=ON -DGG_WERROR=ON \
        -DGG_TEST_PYTHON="$GG_TEST_PYTHON" -DGG_SHARED_DATA="$GG_SHARED_DATA" "$@" >configure.log 2>&1 ||
        fail "cmake: $(cat configure.log)"
    cmake --build build --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-2}" --target processor "${unit_tests[@]}" "${targets[@]}" >build.log 2>&1 ||
        fail "build: $(cat build.log)"
}

# run_test NAME: its output in NAME.log, its exit status in $status.
run_test() {
    status=0
    "./build/tests/$1" >"$1.log" 2>&1 || status=$?
}

# must_pass NAME...
must_pass() {
    local name
    for name in "$@"; do
        run_test "$name"
        [ $status = 0 ] || fail "$name, status $status: $(cat "$name.log")"
    done
}

# must_skip NAME...: says so, and why.
must_skip() {
    local name
    for name in "$@"; do
        run_test "$name"
        [ $status = 77 ] && grep -qxF "skipped: no bf16: $(processor lack)" "$name.log" || fail "$name, status $status: $(cat "$name.log")"
    done
}

# What the processor has for bfloat16, as this build takes it (tests/core/kernels/print_processor.c).
processor() { ./build/tests/processor "$1"; }
