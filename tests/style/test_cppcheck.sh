# cppcheck finds nothing in our sources. What it keeps stays in the working directory: files that have not changed are
# not looked at again.
set -euo pipefail
command -v cppcheck >/dev/null || { echo "skipped: no cppcheck"; exit 77; }

mkdir -p seen
cd "$GG_SOURCE"
cppcheck --quiet --error-exitcode=1 --cppcheck-build-dir="$OLDPWD/seen" -j 2 -I . --std=c11 \
    --enable=warning,portability,performance --suppressions-list=tests/style/cppcheck.supp \
    --template='{file}:{line}: {message} [{id}]' core mpi io jobs tests
