# clang-tidy finds nothing of what .clang-tidy lists. Other versions than 14, Debian 12's, have other ideas.
set -euo pipefail
tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || { echo "skipped: no clang-tidy"; exit 77; }
[[ "$("$tidy" --version)" =~ version\ 14\. ]] || { echo "skipped: not clang-tidy 14: $("$tidy" --version)"; exit 77; }
[ -z "$GG_SANITIZE" ] || { echo "skipped: a matter of the plain build"; exit 77; }

# The compiler's own list has what the build compiles, and the flags; a build by gcc has some that clang does not know.
mapfile -t files < <(grep -oE "\"$GG_SOURCE/(core|mpi|io|jobs)/[^\"]*\.c\"" "$GG_BUILD/compile_commands.json" | tr -d '"' | sort -u)
[ ${#files[@]} -gt 100 ] || { echo "FAILED: only ${#files[@]} files found"; exit 1; }
printf '%s\0' "${files[@]}" | xargs -0 -P 2 -n 10 "$tidy" --quiet -p "$GG_BUILD" \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument \
    >found.txt 2>messages.txt || { cat found.txt; grep -v ' warnings\? generated' messages.txt; exit 1; }
