#!/usr/bin/env bash
# gridgpt's tokenizer beside the Hugging Face tokenizers library, on real text and on odd text.
set -euo pipefail
if ! "$GG_TEST_PYTHON" -c 'import tokenizers' 2>/dev/null; then
  echo "skipped: $GG_TEST_PYTHON has no tokenizers library (set GG_TEST_PYTHON)"
  exit 77
fi
if ! command -v bible >/dev/null; then
  echo "skipped: no bible (Debian package bible-kjv)"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
bible -f Gen1:1-Deu34:12 </dev/null >text.txt
cat "$GG_SOURCE"/core/text/*.c >>text.txt
"$GRIDGPT" tokenizer train --vocab 2000 --out trained.json text.txt
folder=()
[ -d "$GG_SHARED_DATA/gpt2" ] && folder=("$GG_SHARED_DATA/gpt2")
"$GG_TEST_PYTHON" "$GG_SOURCE/tests/jobs/corpus/tokenizer_oracle.py" "$GRIDGPT" text.txt trained.json "${folder[@]}"
