# `gridgpt --version` tells the version, which stands in CMakeLists.txt and CHANGELOG.md, and the libraries.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
version=$(sed -n 's/^project(gridgpt VERSION \([0-9.]*\) .*/\1/p' "$GG_SOURCE/CMakeLists.txt")
[ -n "$version" ] || fail "CMakeLists.txt has no version"

"$GRIDGPT" --version >said.txt || fail "status $?"
cat said.txt
[ "$(head -n 1 said.txt)" = "gridgpt $version" ] || fail "not the version of CMakeLists.txt, $version"
for library in 'MPI: [^ ]' 'HDF5: 1\.[0-9]+\.[0-9]+$' 'zstd: [0-9]' 'matmul: (oneDNN [0-9]|BLAS)'; do
    grep -qE "^$library" said.txt || fail "no line '$library'"
done
[ "$(wc -l <said.txt)" = 5 ] || fail "not five lines"

newest=$(sed -n 's/^## \[*\([0-9.]*\).*/\1/p' "$GG_SOURCE/CHANGELOG.md" | head -n 1)
[ "$newest" = "$version" ] || fail "CHANGELOG.md's newest version is '$newest', not $version"
cd "$GG_SOURCE"
! grep -rnF "$version" core mpi io jobs cmake slurm README.md docs || fail "the version stands a second time"

"$GRIDGPT" --help | grep -q -- --version || fail "--help does not name --version"
status=0
"$GRIDGPT" --version >/dev/full 2>/dev/null || status=$?
[ $status = 74 ] || fail "a full disk: status $status, not 74"
