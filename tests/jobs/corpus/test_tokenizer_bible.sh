#!/usr/bin/env bash
# The whole King James Bible: GPT-2's ids by their published hash, and a vocabulary of its own in little time.
set -euo pipefail
gpt2="$GG_SHARED_DATA/gpt2"
if ! command -v bible >/dev/null || [ ! -d "$gpt2" ]; then
  echo "skipped: no bible (Debian package bible-kjv), or no GPT-2 vocabulary in $gpt2 (set GG_SHARED_DATA)"
  exit 77
fi
fail() { echo "FAILED: $*" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
bible -f Gen1:1-Rev22:21 </dev/null | sed -E 's/^[0-9A-Za-z]+:[0-9]+ //' >text.txt
[ "$(sha256sum <text.txt)" = "b5c4940bcfeee072c0935b5200d0f9d88a00a0199cb0961d16133458fcdfae5d  -" ] ||
  { echo "skipped: this bible-kjv prints another text than version 4.38"; exit 77; }
for tokenizer in "$gpt2" "$gpt2/r50k_base.tiktoken"; do
  "$GRIDGPT" tokenizer encode --stats --tokenizer "$tokenizer" text.txt >ids.txt
  [ "$(wc -w <ids.txt)" = 1024544 ] || fail "$(wc -w <ids.txt) ids"
  # The ids as uint16, little-endian.
  sum=$(tr ' ' '\n' <ids.txt | perl -ne 'print pack("v", $_)' | sha256sum)
  [ "$sum" = "aa24bb01cb07d1a4c3bcb1050cc86722a2494ba211c9fef77992e1b8280c3874  -" ] || fail "the ids' hash is $sum"
  "$GRIDGPT" tokenizer decode --tokenizer "$tokenizer" ids.txt | cmp - text.txt || fail "not the same text back"
done
"$GRIDGPT" tokenizer train --vocab 8192 --out own.json text.txt
"$GRIDGPT" tokenizer encode --tokenizer own.json text.txt | "$GRIDGPT" tokenizer decode --tokenizer own.json |
  cmp - text.txt || fail "not the same text back under a vocabulary of its own"
echo passed
