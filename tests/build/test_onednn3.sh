# oneDNN 3, as a Python environment holds it: the tests' own, if it has PyPI's package (tests/run.sh).
source "$GG_SOURCE/tests/build/library.sh"

prefix=$("$GG_TEST_PYTHON" -c 'import sys; print(sys.prefix)')
header=$prefix/include/oneapi/dnnl/dnnl_version.h
grep -qsE "define DNNL_VERSION_MAJOR +3$" "$header" || skip "no oneDNN 3 in $prefix"
version=$(sed -n 's/^#define DNNL_VERSION_\(MAJOR\|MINOR\|PATCH\) *\([0-9]*\)$/\2/p' "$header" | paste -sd.)

build_with -- -DGG_GEMM=onednn -DOneDNN_ROOT="$prefix"
grep -qF "Local matmul: oneDNN $version" configure.log || fail "$(cat configure.log)"
must_pass test_attention test_matmul test_gpt test_gpt_golden test_tiles
grep -qxF "matmul: oneDNN $version in fp32" test_gpt_golden.log || fail "another library: $(cat test_gpt_golden.log)"

# Whatever this processor has first; then the library's own bf16, where AMX hides it otherwise.
bf16_tests=(test_bf16 test_gpt_bf16)
if processor_has avx512_bf16; then
    must_pass "${bf16_tests[@]}"
    export GRIDGPT_AMX=0
    must_pass "${bf16_tests[@]}" test_tiles
    grep -qxF "matmul: oneDNN $version in bf16" test_bf16.log || fail "another library: $(cat test_bf16.log)"
else
    must_skip "${bf16_tests[@]}"
fi

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
