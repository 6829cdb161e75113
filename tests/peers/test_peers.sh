# The comparison with PyTorch, tiny: both take the same steps from the same weights, and other work is noticed.
# No figure of it is judged here.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; exit 1; }
"$GG_TEST_PYTHON" - <<'P' || exit 77
import sys
try:
    import h5py, hdf5plugin, torch
except ImportError as missing:
    sys.exit(f"skipped: {missing} (pip install -r tests/peers/requirements.txt)")
if tuple(map(int, torch.__version__.split(".")[:2])) < (2, 5):
    sys.exit(f"skipped: PyTorch {torch.__version__} is older than 2.5")
P
small="--layers 2 --heads 4 --width 64 --context 64 --vocab 300 --ways eager --rounds 2 --steps 1 --cores 1 --precision fp32"
compare() {
    status=0
    "$GG_TEST_PYTHON" "$GG_SOURCE/tests/peers/compare.py" --gridgpt "$GRIDGPT" $small "$@" >out.txt 2>log.txt || status=$?
}

compare --json
[ $status = 0 ] || fail "$(cat log.txt)"
"$GG_TEST_PYTHON" - <<'P' || fail "$(cat out.txt)"
import json, math
(row,) = json.load(open("out.txt"))["rows"]
ours, theirs = (row["first_loss"][name] for name in ("gridgpt", "pytorch"))
assert abs(ours - theirs) <= 1e-4 * ours and abs(ours - math.log(300)) < 0.1, row
assert len(row["gridgpt_steps_s"]) == len(row["pytorch_steps_s"]) == 2, row
P
compare
[ "$(grep -c '^| 1 | fp32 | ' out.txt)" = 1 ] || fail "$(cat out.txt log.txt)"

# Other weights, and other steps from the same weights.
compare --settings run.seed=2
[ $status = 1 ] && grep -q "not the same work: the loss of step 1 " log.txt || fail "status $status: $(cat log.txt)"
compare --settings optim.beta1=0.5
[ $status = 1 ] && grep -q "not the same work: the loss of step 3 " log.txt || fail "status $status: $(cat log.txt)"
