#!/bin/bash
# Builds gridgpt with warnings as errors and runs every test: installs what they need first (Debian packages; a
# Python environment under build/ for the programs that our files are compared with).
set -euo pipefail
cd "$(dirname "$0")/.."
source cmake/install-packages.sh

install_packages build run test
venv=build/venv
if ! "$venv/bin/python" -c 'import h5py, hdf5plugin, numpy, tokenizers' 2>/dev/null; then
    echo "making $venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check h5py hdf5plugin numpy tokenizers
fi
# oneDNN 3, which is no Debian package yet: test_onednn3 is skipped without it.
if ! [ -e "$venv/include/oneapi/dnnl/dnnl.h" ]; then
    "$venv/bin/pip" install --quiet --disable-pip-version-check onednn-cpu-gomp==2023.2.0 onednn-devel-cpu-gomp==2023.2.0 ||
        echo "oneDNN 3 cannot be installed: test_onednn3 will be skipped" >&2
fi
mpi_environment
cmake --preset check -DGG_TEST_PYTHON="$PWD/$venv/bin/python"
cmake --build --preset check -j "$(nproc)"
ctest --preset check -j "$(nproc)"
