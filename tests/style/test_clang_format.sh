# Every C file stands as clang-format and .clang-format have it. Other versions than 14, Debian 12's, have other ideas.
set -euo pipefail
format=$(command -v clang-format-14 || command -v clang-format) || { echo "skipped: no clang-format"; exit 77; }
[[ "$("$format" --version)" =~ version\ 14\. ]] || { echo "skipped: not clang-format 14: $("$format" --version)"; exit 77; }

cd "$GG_SOURCE"
mapfile -t files < <(find core mpi io jobs tests -name '*.[ch]' | sort)
[ ${#files[@]} -gt 100 ] || { echo "FAILED: only ${#files[@]} files found"; exit 1; }
status=0
for file in "${files[@]}"; do
    "$format" "$file" | cmp -s - "$file" || { echo "not formatted: $file (run $(basename "$format") -i $file)"; status=1; }
done
exit $status
