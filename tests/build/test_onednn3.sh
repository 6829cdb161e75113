# oneDNN 3, as a Python environment holds it: the tests' own, if it has PyPI's package (tests/run.sh).
unset GRIDGPT_GEMM_SECONDS # the rate as users see it
source "$GG_SOURCE/tests/build/library.sh"

prefix=$("$GG_TEST_PYTHON" -c 'import sys; print(sys.prefix)')
header=$prefix/include/oneapi/dnnl/dnnl_version.h
grep -qsE "define DNNL_VERSION_MAJOR +3$" "$header" || skip "no oneDNN 3 in $prefix"
version=$(sed -n 's/^#define DNNL_VERSION_\(MAJOR\|MINOR\|PATCH\) *\([0-9]*\)$/\2/p' "$header" | paste -sd.)

build_with -- -DGG_GEMM=onednn -DOneDNN_ROOT="$prefix"
grep -qF "Local matmul: oneDNN $version" configure.log || fail "$(cat configure.log)"
must_pass test_attention test_matmul test_gpt test_gpt_golden test_tiles
grep -qxF "matmul: oneDNN $version in fp32" test_gpt_golden.log || fail "another library: $(cat test_gpt_golden.log)"

# Whatever this processor has first; then the library's own bf16, where AMX hides it otherwise; then none.
bf16_tests=(test_bf16 test_gpt_bf16)
must_pass_bf16() {
    must_pass test_processor test_tiles
    case "$(processor maker)" in
    tiles) must_pass "${bf16_tests[@]}" && grep -qxF "matmul: gridgpt's AMX tiles in bf16" test_bf16.log ;;
    library) must_pass "${bf16_tests[@]}" && grep -qxF "matmul: oneDNN $version in bf16" test_bf16.log ;;
    *) must_skip "${bf16_tests[@]}" ;;
    esac || fail "another maker than $(processor maker): $(cat test_bf16.log)"
}
must_pass_bf16
export GRIDGPT_AMX=0
[ "$(processor maker)" != tiles ] || fail "GRIDGPT_AMX=0 does not forbid AMX"
must_pass_bf16
export DNNL_MAX_CPU_ISA=AVX512_CORE ONEDNN_MAX_CPU_ISA=AVX512_CORE
[ "$(processor maker)" = none ] || fail "bf16 without oneDNN's kernels for it"
must_pass_bf16
must_pass test_matmul test_gpt test_gpt_golden
unset DNNL_MAX_CPU_ISA ONEDNN_MAX_CPU_ISA

# A oneDNN for SYCL is refused: the same headers with another word in them.
rm -rf sycl mixed
mkdir -p sycl/include/oneapi sycl/lib
cp -r "$prefix/include/oneapi/dnnl" sycl/include/oneapi
ln -s "$prefix"/lib/libdnnl.so* sycl/lib
sed -i 's/\(#define DNNL_CPU_RUNTIME\) .*/\1 DNNL_RUNTIME_SYCL/' sycl/include/oneapi/dnnl/dnnl_config.h
if cmake -G Ninja -S "$GG_SOURCE" -B mixed -DGG_GEMM=onednn -DOneDNN_ROOT="$PWD/sycl" >mixed.log 2>&1; then
    fail "a oneDNN for SYCL: $(grep "Local matmul" mixed.log)"
fi
grep -q "runs processors by SYCL" mixed.log || fail "$(cat mixed.log)"

# A library of one version below headers of another is refused: only the library under this root.
rm -rf half mixed
mkdir -p half/lib
ln -s "$prefix"/lib/libdnnl.so* half/lib
if cmake -G Ninja -S "$GG_SOURCE" -B mixed -DGG_GEMM=onednn -DOneDNN_ROOT="$PWD/half" -DOneDNN_INCLUDE_DIR=/usr/include \
    >mixed.log 2>&1; then
    fail "headers of the system's oneDNN with the library of $version: $(grep "Local matmul" mixed.log)"
fi
grep -q "are not of one version" mixed.log || fail "$(cat mixed.log)"
