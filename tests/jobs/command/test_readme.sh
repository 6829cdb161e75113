# docs/settings.md's table is what `gridgpt train --help` says, README's rows are among it, and every subcommand that they
# name is there. Paths and links: tests/style/test_docs.sh.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
readme="$GG_SOURCE/README.md"

"$GRIDGPT" train --help | awk -f "$GG_SOURCE/tests/jobs/command/settings_table.awk" >wanted.txt
[ "$(wc -l <wanted.txt)" -gt 30 ] || fail "--help lists only $(wc -l <wanted.txt) settings"
grep -E '^\| `[a-z]+\.' "$GG_SOURCE/docs/settings.md" >found.txt || true
diff wanted.txt found.txt || fail "the settings table of docs/settings.md (>) is not that of --help (<); take tests/jobs/command/settings_table.awk's output"

grep -E '^\| `[a-z]+\.[a-z_]+` ' "$readme" >few.txt || true
[ "$(wc -l <few.txt)" -ge 10 ] || fail "README shows only $(wc -l <few.txt) settings"
! grep -vxFf wanted.txt few.txt || fail "README has other rows than docs/settings.md"
grep -qF '(docs/settings.md)' "$readme" || fail "README does not link to docs/settings.md"

commands=$(cat "$readme" "$GG_SOURCE"/docs/*.md | grep -oE 'gridgpt (train|prepare|tokenizer|evaluate|generate|inspect|bench|settings)\b' | awk '{ print $2 }' | sort -u)
[ "$(wc -w <<<"$commands")" = 8 ] || fail "README and docs do not name every subcommand:" $commands
for command in $commands; do
    "$GRIDGPT" "$command" --help >help.txt 2>&1 || fail "README or docs name gridgpt $command, which has no --help"
done
for path in jobs/quickstart.sh tests/run.sh cmake/debian-packages.txt; do
    grep -qF "$path" "$readme" || fail "README does not name $path"
done

# A plan from one process, for ranks that are not there.
"$GRIDGPT" settings model.preset=gpt2-774m batch.sequences=512 batch.micro=4 parallel.grid=2x2 --ranks 64 >plan.txt
grep -q 'D x P x Q = 16 x 2 x 2; 8 micro-batches' plan.txt || fail "settings --ranks: $(cat plan.txt)"
grep -q 'weights  *77[0-9]\.' plan.txt || fail "settings --ranks: $(cat plan.txt)"
status=0
"$GRIDGPT" settings model.preset=gpt2-124m batch.sequences=8 batch.micro=8 --ranks 3 >plan.txt 2>&1 || status=$?
[ "$status" = 64 ] && grep -q 'would work' plan.txt || fail "settings --ranks 3: $status $(cat plan.txt)"
