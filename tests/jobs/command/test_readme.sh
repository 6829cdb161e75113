# README's settings table is what `gridgpt train --help` says, and every file and subcommand it names is there.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
readme="$GG_SOURCE/README.md"

"$GRIDGPT" train --help | awk -f "$GG_SOURCE/tests/jobs/command/settings_table.awk" >wanted.txt
[ "$(wc -l <wanted.txt)" -gt 30 ] || fail "--help lists only $(wc -l <wanted.txt) settings"
sed -n '/^## Settings/,/^## Formats/p' "$readme" | grep '^| `' >found.txt || true
diff wanted.txt found.txt || fail "README's settings table (>) is not that of --help (<); take tests/jobs/command/settings_table.awk's output"

for command in $(grep -oE 'gridgpt (train|prepare|tokenizer|evaluate|generate|inspect|bench)\b' "$readme" | awk '{ print $2 }' | sort -u); do
    "$GRIDGPT" "$command" --help >help.txt 2>&1 || fail "README names gridgpt $command, which has no --help"
done
for path in jobs/quickstart.sh tests/run.sh cmake/debian-packages.txt; do
    grep -qF "$path" "$readme" || fail "README does not name $path"
    [ -e "$GG_SOURCE/$path" ] || fail "README names $path, which is not there"
done
