# bench: what it prints adds up, for each of its kinds. No figure of it is judged here.
unset GRIDGPT_GEMM_SECONDS # the rate as users see it
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
export TMPDIR=$PWD
rm -rf gridgpt-bench-*
small="model.preset=none model.layers=2 model.width=64 model.heads=4 model.context=64 model.vocab=1000"

mpirun -n 2 "$GRIDGPT" bench $small parallel.progress=calls --repeats 3 --json --alone --compare "parallel.grid=2x1 batch.micro=8" \
    --compare compute.recompute=block --compare compute.recompute=attention >steps.json
"$GG_TEST_PYTHON" - <<'P' || fail "$(cat steps.json)"
import json, math
first, grid, block, attention, alone = json.load(open("steps.json"))
every = (first, grid, block, attention, alone)
assert [b["ranks"] for b in every] == [2, 2, 2, 2, 1]
assert grid["name"] == "parallel.grid=2x1 batch.micro=8"
for b in every:
    tokens = 4 * 64 * (1 if b is alone else 2)
    assert abs(b["tokens_per_s"] * b["step_s"] - tokens) < 1e-3 * tokens, b
    # 6 (12 L C^2 + V C) + 6 L C T
    flops = 6 * (12 * 2 * 64 * 64 + 1000 * 64) + 6 * 2 * 64 * 64
    assert abs(b["mfu"] - flops * b["tokens_per_s"] / b["gemm_gflops"] / 1e9) < 1e-3 * b["mfu"], b
    kernels = sum(b["forward"].values()) + sum(b["backward"].values()) + sum(b["recompute"].values())
    assert 0 < kernels < 3 * b["step_s"], b
    assert 0 < sum(b["seconds"].values()) < 3 * b["step_s"] and b["spreads"].keys() == b["seconds"].keys(), b
    assert len(b["steps_s"]) == 3 and abs(sorted(b["steps_s"])[1] - b["step_s"]) < 1e-6, b
    # What is recomputed is what the settings say: GELU's output comes back with its gradient.
    recomputed = {kind for kind, seconds in b["recompute"].items() if seconds > 0}
    assert recomputed == ({"residual_norm", "matmul", "attention"} if b in (block, attention) else set()), b
    assert len(b["losses"]) == 4 and abs(b["losses"][0] - math.log(1000)) < 0.1, b
# The same global batches from the same weights; the steps are whole ones, which change the loss.
assert all(abs(x - y) < 1e-5 * x for x, y in zip(first["losses"], grid["losses"])), (first, grid)
assert len(set(first["losses"])) == 4, first
assert first["losses"] == block["losses"] == attention["losses"], (first, block, attention)
r = first["reduction"]
assert r["alone_s"] > 0 and r["visible_s"] == first["seconds"]["reduce"], r
own = max(r["visible_s"] - r["waiting_s"], 0)
assert abs(r["hidden"] - max(1 - own / r["alone_s"], 0)) < 1e-6 and r["progress"] == "calls between kernels", r
assert grid["reduction"] is None and alone["reduction"] is None
P
"$GRIDGPT" bench $small --repeats 2 >words.txt
grep -q "^MFU .*% = FLOP per token" words.txt && grep -q "medians of 2 steps after one that warms up" words.txt || fail "$(cat words.txt)"
! grep -q "recompute *$" words.txt || fail "$(cat words.txt)"
! grep -q "^reduction" words.txt || fail "a reduction on one rank: $(cat words.txt)"
"$GRIDGPT" bench $small --repeats 2 compute.recompute=block >words.txt
grep -q "^by kernel  *forward  *backward  *recompute$" words.txt && grep -q "recomputation does not count" words.txt || fail "$(cat words.txt)"
mpirun -n 2 "$GRIDGPT" bench $small --repeats 2 parallel.zero=1 parallel.progress=thread >words.txt
grep -q "^reduction  *alone .*, visible .*, hidden" words.txt && grep -q "progress by a thread" words.txt || fail "$(cat words.txt)"
# What is announced is what is taken, also where the libraries' buffers weigh as much as the model: PBLAS's panels, and what
# it takes widened.
large_vocab="model.preset=none model.layers=2 model.width=64 model.heads=4 model.context=64 compute.fallback=fp32"
for words in parallel.grid=1x1 parallel.grid=2x1 "parallel.grid=2x1 compute.precision=bf16"; do
    mpirun -n 2 "$GRIDGPT" bench $large_vocab $words --repeats 1 --json >memory.json
    "$GG_TEST_PYTHON" - "$words" <<'P' || fail "$words: $(cat memory.json)"
import json, os, sys
b, = json.load(open("memory.json"))
off = b["peak_bytes"] / b["announced_bytes"] - 1
print(f"{sys.argv[1]}: peak {b['peak_bytes'] / 1e6:.1f} MB, announced {b['announced_bytes'] / 1e6:.1f} MB, {100 * off:+.1f}%")
assert abs(off) < 0.1 or os.environ.get("GG_SANITIZE") # which keep what was freed for a while
P
done
mpirun -n 4 "$GRIDGPT" bench $small --matmul parallel.grid=2x2 --repeats 2 --json >matmuls.json
"$GG_TEST_PYTHON" - <<'P' || fail "$(cat matmuls.json)"
import json
b = json.load(open("matmuls.json"))
assert [m["name"] for m in b["matmuls"]] == ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj", "head"]
assert all(m[k] > 0 for m in b["matmuls"] for k in ("forward", "d_input", "d_weight"))
P
mpirun -n 2 "$GRIDGPT" bench $small --kernels --repeats 3 --json >kernels.json
"$GG_TEST_PYTHON" - <<'P' || fail "$(cat kernels.json)"
import json
b = json.load(open("kernels.json"))
k = {item["name"]: item for item in b["kernels"]}
assert (b["tokens"], b["width"], b["precision"], b["ranks"]) == (256, 64, "fp32", 2), b
weights = 1024 * 64 + 64 * 64 + 2 * (12 * 64 * 64 + 13 * 64) + 2 * 64 # the vocabulary padded
activation = 256 * 64 * 4 # read, written, and what memory they are
moved = {"norm": (activation, activation, 2 * activation), "norm, d_input": (3 * activation, activation, 3 * activation),
         "bias + GELU, backward": (8 * activation, 4 * activation, 8 * activation),
         "AdamW": (4 * weights * 4, 3 * weights * 4, 4 * weights * 4), "gradient norm": (weights * 4, 0, weights * 4),
         "loss, exponentials": (256 * 1024 * 4,) * 3,
         "embedding": (2 * activation + 64 * 64 * 4, 2 * activation, 2 * activation + 64 * 64 * 4)}
for name, sizes in moved.items():
    assert (k[name]["read_bytes"], k[name]["written_bytes"], k[name]["held_bytes"]) == sizes, (name, sizes, k[name])
# Memory's arrays are beyond the caches, and what can be done with it is told apart.
m = b["memory"]
assert 3 * m["array_bytes"] >= 191e6 and 6 * m["array_bytes"] >= 4 * b["cache_bytes"] and 0 <= m["huge_share"] <= 1, m
rates = [1e9 * m[name + "_gb_s"] for name in ("read", "write", "triad", "update")]
assert min(rates) > 0 and len(set(rates)) == 4, m
for item in b["kernels"]:
    read, written = 2 * item["read_bytes"], 2 * item["written_bytes"]
    limit = max(read / rates[0], written / rates[1], (read + written) / max(rates))
    assert abs(item["limit_s"] - limit) < 1e-4 * limit, (item, limit)
    assert abs(item["gb_s"] * item["seconds"] - 1e-9 * (read + written)) < 1e-4 * item["gb_s"] * item["seconds"], item
    assert abs(item["share"] * item["seconds"] - limit) < 1e-4 * limit, item
    # Whoever is faster than memory says why: here it is in cache.
    assert ("reason" in item) == (item["share"] > 1.05), item
    assert "reason" not in item or item["reason"].startswith("in cache: "), item
assert "rounding to bf16" not in k
P
mpirun -n 2 "$GRIDGPT" bench $small --kernels --repeats 1 parallel.grid=1x2 compute.precision=bf16 compute.fallback=fp32 >kernels.txt
grep -qE "^  read [0-9.]+ GB/s, write [0-9.]+ GB/s, triad .*, update" kernels.txt && grep -q "128 tokens x 64 features" kernels.txt || fail "$(cat kernels.txt)"
grep -q "^limit: the longest of bytes read / rate of read" kernels.txt || fail "no formula: $(cat kernels.txt)"
awk '/^(norm|bias|residual|embedding|loss|gradient|AdamW|rounding)/ { match($0, / [0-9]+% /); share = substr($0, RSTART, RLENGTH) + 0
    if (share > 105 && $0 !~ /in cache|memory was slower/) exit 1 }' kernels.txt || fail "faster than memory, and no reason: $(cat kernels.txt)"
"$GRIDGPT" bench $small --generate --repeats 1 --json >generate.json
mpirun -n 2 "$GRIDGPT" bench $small --generate --repeats 1 parallel.grid=2x1 compute.precision=fp32 --json >grid.json
"$GG_TEST_PYTHON" - <<'P' || fail "$(cat generate.json grid.json)"
import json
one, (grid,) = json.load(open("generate.json")), json.load(open("grid.json"))
assert [b["precision"] for b in one] in (["fp32"], ["fp32", "bf16"])
for b in (*one, grid):
    # 12 L C^2 + V C, the vocabulary padded to 1024
    assert b["weights_bytes"] == (12 * 2 * 64 * 64 + 1024 * 64) * (2 if b["precision"] == "bf16" else 4), b
    assert [row["texts"] for row in b["batches"]] == [1, 8] and b["from_position"] == 16 and b["to_position"] == 64, b
    assert all(row["tokens_per_s"] > 0 and row["of_reading"] > 0 for row in b["batches"]) and b["read_gb_s"] > 0, b
    assert b["prompt_tokens"] == 64 and b["prompt_tokens_per_s"] > 0 and b["forward_tokens_per_s"] > 0, b
assert grid["ranks"] == 2
P
"$GRIDGPT" bench $small --generate --repeats 1 compute.precision=fp32 >words.txt
[ "$(grep -cE "^ +(1|8) +[0-9.]+ +[0-9.]+% .* GB/s" words.txt)" = 2 ] && grep -q "^  a prompt of 64: " words.txt || fail "$(cat words.txt)"
status=0
mpirun -n 2 "$GRIDGPT" bench $small --generate 2>err.txt || status=$?
[ $status = 64 ] && grep -q "parallel.grid=2x1" err.txt || fail "status $status: $(cat err.txt)"
status=0
"$GRIDGPT" bench $small --kernels --matmul 2>err.txt || status=$?
[ $status = 64 ] && grep -q "choose one" err.txt || fail "status $status: $(cat err.txt)"
mpirun -n 2 "$GRIDGPT" bench $small --checkpoint run.dir=run parallel.grid=2x1 --repeats 2 >checkpoint.txt || fail "$(cat checkpoint.txt)"
! compgen -G "run/*" >/dev/null || fail "a file is left: $(ls run)"
status=0
"$GRIDGPT" bench $small parallel.grid=3x1 2>err.txt || status=$?
[ $status = 64 ] && grep -q "needs a multiple of 3 ranks" err.txt || fail "status $status: $(cat err.txt)"
! compgen -G "gridgpt-bench-*" >/dev/null || fail "a temporary shard is left"
