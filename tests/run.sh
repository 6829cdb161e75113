#!/bin/bash
# Builds gridgpt with warnings as errors and tests it: installs what the tests need first (Debian packages; a Python
# environment under build/ for the programs that our files are compared with).
set -euo pipefail
cd "$(dirname "$0")/.."
source cmake/install-packages.sh
venv=build/venv

usage() {
    cat <<'U'
usage: tests/run.sh [WHAT]
  all    every test (the default)
  quick  the tests of a second or so each, without mpirun (ctest's label `quick`)
  asan   every test, with the address and the undefined-behaviour sanitizer
  tsan   the tests of what has threads of its own (ctest's label `threads`), with the thread sanitizer
  interop [WORD...]   models and files against the programs that read and write them: torch, transformers, peft, llama.cpp and
         what they need are installed under build/ first, some gigabytes; WORDs choose among the checks
  fuzz SECONDS [NAME...]   libFuzzer on each reader of files and text, or those named, for so long each
U
}

set_up() {
    install_packages build run test
    if ! "$venv/bin/python" -c 'import gguf, h5py, hdf5plugin, numpy, tokenizers' 2>/dev/null; then
        echo "making $venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check gguf h5py hdf5plugin numpy tokenizers
    fi
    # oneDNN 3, which is no Debian package yet: test_onednn3 is skipped without it.
    if ! [ -e "$venv/include/oneapi/dnnl/dnnl.h" ]; then
        "$venv/bin/pip" install --quiet --disable-pip-version-check onednn-cpu-gomp==2023.2.0 onednn-devel-cpu-gomp==2023.2.0 ||
            echo "oneDNN 3 cannot be installed: test_onednn3 will be skipped" >&2
    fi
    mpi_environment
}

# build_and_test PRESET [CTEST'S ARGUMENTS...]
build_and_test() {
    local preset=$1
    shift
    set_up
    cmake --preset "$preset" -DGG_TEST_PYTHON="$PWD/$venv/bin/python"
    cmake --build --preset "$preset" -j "$(nproc)"
    ctest --preset "$preset" -j "$(nproc)" --no-tests=error "$@"
}

# interop [WORDS...]: tests/interop/*, each with the programs below and our own in its environment.
interop() {
    local python=build/interop/bin/python failed=0 check
    set_up
    if ! "$python" -c 'import accelerate, gguf, lm_eval, peft, torch, transformers' 2>/dev/null; then
        echo "making build/interop"
        python3 -m venv build/interop
        build/interop/bin/pip install --quiet --disable-pip-version-check torch transformers peft \
            accelerate lm_eval safetensors gguf numpy
    fi
    if ! "$python" -c 'import llama_cpp' 2>/dev/null; then
        echo "building llama.cpp, which takes some minutes"
        build/interop/bin/pip install --quiet --disable-pip-version-check --no-binary llama-cpp-python llama-cpp-python
    fi
    cmake --preset check -DGG_TEST_PYTHON="$PWD/$venv/bin/python"
    cmake --build --preset check -j "$(nproc)" --target gridgpt logits
    export GRIDGPT=$PWD/build/check/gridgpt GG_LOGITS=$PWD/build/check/tests/logits GG_SOURCE=$PWD OMP_NUM_THREADS=1
    export GG_SHARED_DATA=${GG_SHARED_DATA:-$PWD/../shared/data}
    for check in tests/interop/test_*; do
        echo "== $check"
        case "$check" in
        *.py) "$python" "$check" "$@" || failed=1 ;;
        *.sh) GG_INTEROP_PYTHON=$PWD/$python bash "$check" "$@" || failed=1 ;;
        esac
    done
    return $failed
}

refuse() {
    echo "tests/run.sh: $*" >&2
    usage >&2
    exit 64
}

what=${1:-all}
[ $# = 0 ] || shift
case "$what" in
all | quick | asan | tsan) [ $# = 0 ] || refuse "$what takes no more words: $*" ;;&
all) build_and_test check ;;
quick) build_and_test check -L '^quick$' ;;
asan) build_and_test asan ;;
tsan) build_and_test tsan -L '^threads$' ;;
interop) interop "$@" ;;
fuzz) exec tests/fuzz/fuzz.sh "$@" ;;
-h | --help | help) usage ;;
*) refuse "unknown: $what" ;;
esac
