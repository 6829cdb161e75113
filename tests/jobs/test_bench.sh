# bench: what it prints adds up, for each of its kinds. No figure of it is judged here.
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
    kernels = sum(b["forward"].values()) + sum(b["backward"].values()) + sum(b["again"].values())
    assert 0 < kernels < 3 * b["step_s"], b
    assert 0 < sum(b["seconds"].values()) < 3 * b["step_s"] and b["spreads"].keys() == b["seconds"].keys(), b
    assert len(b["steps_s"]) == 3 and abs(sorted(b["steps_s"])[1] - b["step_s"]) < 1e-6, b
    # What is made again is what the settings say: GELU's output comes back with its gradient.
    again = {kind for kind, seconds in b["again"].items() if seconds > 0}
    assert again == ({"residual_norm", "matmul", "attention"} if b in (block, attention) else set()), b
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
! grep -q " again" words.txt || fail "$(cat words.txt)"
! grep -q "^reduction" words.txt || fail "a reduction on one rank: $(cat words.txt)"
"$GRIDGPT" bench $small --repeats 2 compute.recompute=block >words.txt
grep -q "^by kernel  *forward  *backward  *again" words.txt && grep -q "again does not count" words.txt || fail "$(cat words.txt)"
mpirun -n 2 "$GRIDGPT" bench $small --repeats 2 parallel.zero=1 parallel.progress=thread >words.txt
grep -q "^reduction  *alone .*, visible .*, hidden" words.txt && grep -q "progress by a thread" words.txt || fail "$(cat words.txt)"
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
least = {"norm": 2 * 256 * 64 * 4, "bias + GELU, backward": 3 * 256 * 256 * 4, "AdamW": 7 * weights * 4,
         "loss, exponentials": 2 * 256 * 1024 * 4, "embedding": 4 * 256 * 64 * 4 + 64 * 64 * 4}
for name, size in least.items():
    assert k[name]["bytes"] == size, (name, size, k[name])
triad = k["triad a = b + s c"]
assert triad["share"] == 1 and triad["bytes"] >= 191e6, triad
for item in b["kernels"]:
    assert abs(item["gb_s"] * item["seconds"] - 2e-9 * item["bytes"]) < 1e-4 * item["gb_s"] * item["seconds"], item
    assert abs(item["share"] - item["gb_s"] / triad["gb_s"]) < 1e-4 * item["share"], item
assert "rounding to bf16" not in k
P
mpirun -n 2 "$GRIDGPT" bench $small --kernels --repeats 1 parallel.grid=1x2 compute.precision=bf16 compute.fallback=fp32 >kernels.txt
grep -q "^triad a = b + s c .* 100%" kernels.txt && grep -q "128 tokens x 64 features" kernels.txt || fail "$(cat kernels.txt)"
status=0
"$GRIDGPT" bench $small --kernels --matmul 2>err.txt || status=$?
[ $status = 64 ] && grep -q "choose one" err.txt || fail "status $status: $(cat err.txt)"
mpirun -n 2 "$GRIDGPT" bench $small --checkpoint run.dir=run parallel.grid=2x1 --repeats 2 >checkpoint.txt || fail "$(cat checkpoint.txt)"
! compgen -G "run/*" >/dev/null || fail "a file is left: $(ls run)"
status=0
"$GRIDGPT" bench $small parallel.grid=3x1 2>err.txt || status=$?
[ $status = 64 ] && grep -q "needs a multiple of 3 ranks" err.txt || fail "status $status: $(cat err.txt)"
! compgen -G "gridgpt-bench-*" >/dev/null || fail "a temporary shard is left"
