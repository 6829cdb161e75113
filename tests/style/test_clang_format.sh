# Every C file stands as clang-format and .clang-format have it. Other versions than 14, Debian 12's, have other ideas.
set -euo pipefail
format=$(command -v clang-format-14 || command -v clang-format) || { echo "skipped: no clang-format"; exit 77; }
[[ "$("$format" --version)" =~ version\ 14\. ]] || { echo "skipped: not clang-format 14: $("$format" --version)"; exit 77; }

cd "$GG_SOURCE"
mapfile -t files < <(find core mpi io jobs tests -name '*.[ch]' | sort)
[ ${#files[@]} -gt 100 ] || { echo "FAILED: only ${#files[@]} files found"; exit 1; }
list=$({ "$format" --dry-run -Werror "${files[@]}" 2>&1 || true; } | sed -n 's/^\([^: ]*\):[0-9:]* error: .*/\1/p' | sort -u)
[ -z "$list" ] || { echo "not formatted, $(basename "$format") -i would change:"; echo "$list"; exit 1; }
