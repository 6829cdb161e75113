# Every header includes what it needs: it compiles alone.
set -euo pipefail
[ -z "$GG_SANITIZE" ] || { echo "skipped: a matter of the plain build"; exit 77; }

# The flags with which the build compiles the program's main file: it sees every library's headers.
command=$(grep -m 1 '^ *"command": .*/jobs/main\.c"' "$GG_BUILD/compile_commands.json") || { echo "FAILED: no compile command of jobs/main.c"; exit 1; }
mapfile -t flags < <(grep -oE -- '(-I ?|-isystem ?|-D|-std=|-march=|-mcpu=)[^ "]+' <<<"$command" | sed 's/^-isystem /-isystem/; s/^-I /-I/')
compiler=${command#*\": \"}
compiler=${compiler%% *}

cd "$GG_SOURCE"
mapfile -t headers < <(find core mpi io jobs tests -name '*.h' | sort)
[ ${#headers[@]} -gt 80 ] || { echo "FAILED: only ${#headers[@]} headers found"; exit 1; }
check() { echo "#include \"$0\"" | "$@" -Werror -fsyntax-only -x c - || { echo "does not compile alone: $0"; exit 1; }; }
export -f check
printf '%s\n' "${headers[@]}" | xargs -P 2 -I{} bash -c 'check "$@"' {} "$compiler" "${flags[@]}"
