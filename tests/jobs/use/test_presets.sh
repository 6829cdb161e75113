#!/usr/bin/env bash
# Presets: their parameters are those that the published models have, docs/models.md has the table that the program
# prints, and settings and grids are told in the same way.
set -euo pipefail
parameters() { # NAME [key=value]...
    "$GRIDGPT" inspect --preset "$@" | sed -n 's/^parameters *\([0-9]*\),.*/\1/p'
}
expect() { # PARAMETERS NAME [key=value]...
    local found
    found=$(parameters "${@:2}")
    [ "$found" = "$1" ] || { echo "${*:2}: $found parameters, published $1"; exit 1; }
}
# As transformers counts the models openai-community/{openai-gpt,gpt2,...}, TinyLlama and Qwen3.
expect 116534784 gpt1
expect 124439808 gpt2-124m
expect 354823168 gpt2-355m
expect 774030080 gpt2-774m
expect 1557611200 gpt2-1558m
expect 1100048384 llama-1.1b
expect 596049920 qwen3-0.6b
# GPT-3 is GPT-2 with a longer context: 1024 more positions.
expect $((124439808 + 1024 * 768)) gpt3-small

"$GRIDGPT" inspect --preset all >table.txt
diff table.txt <(grep '^|' "$GG_SOURCE/docs/models.md" | sed -n "1,$(wc -l <table.txt)p") ||
    { echo "docs/models.md: not the table that 'gridgpt inspect --preset all' prints"; exit 1; }

"$GRIDGPT" inspect --preset gpt3-small >gpt3.txt
grep -q "attention alternating, window 256" gpt3.txt
"$GRIDGPT" inspect --preset gpt3-small model.attention=dense >dense.txt
grep -q "attention dense, qk_norm" dense.txt
printf 'model: {preset: llama-24m, layers: 2}\nbatch: {sequences: 4, micro: 2}\n' >two.yaml
"$GRIDGPT" inspect two.yaml parallel.grid=2x1 --ranks 4 --tensors >two.txt
grep -q "4 ranks: D x P x Q = 2 x 2 x 1" two.txt
[ "$(grep -c "self_attn.k_proj.weight .*(288, 288)" two.txt)" = 2 ]

refused() { # MESSAGE [argument]...
    local status=0
    "$GRIDGPT" inspect "${@:2}" >out.txt 2>&1 || status=$?
    [ "$status" = 64 ] && grep -qF -- "$1" out.txt || { echo "${*:2}: status $status, wanted '$1':"; cat out.txt; exit 1; }
}
refused "model.kv_heads 5 does not divide model.heads 32" --preset llama-1.1b model.kv_heads=5
refused "model.window 7 has no meaning with model.attention dense" --preset gpt2-124m model.window=7
refused "model.attention banded needs model.window" --preset gpt2-124m model.attention=banded
refused "set an even model.head_size" --preset llama-124m model.head_size=63
refused "model.rope_theta 500 has no meaning" --preset gpt2-124m model.rope_theta=500
refused "setting model.preset cannot be 'gpt2-124'" --preset gpt2-124
refused "4 feature shards do not divide model.kv_heads 2" --preset llama-1.1b model.kv_heads=2 parallel.grid=4x1 \
    batch.micro=4 batch.sequences=4
refused "on 4 ranks these work: 1x1, 2x1, 1x2, 2x2, 1x4" --preset llama-1.1b model.kv_heads=2 parallel.grid=4x1 \
    batch.micro=4 batch.sequences=16
