# eval.patience: a run whose validation loss rises ends by itself with status 0, the same on other ranks, and the same
# after it was stopped or killed anywhere; the best checkpoint is kept beyond checkpoint.keep, and is what it says.
source "$GG_SOURCE/tests/fault/signals.sh"
# Another language to validate on: what is learned of the first makes it worse, after the first steps.
tr a-z n-za-m <text.txt >other.txt
"$GRIDGPT" prepare --tokenizer tokenizer.json --val 0.1 --out other other.txt >>prepare.log 2>&1
alone() { # NAME [key=value]...: as `train 1`, without mpirun
    status=0
    "$GRIDGPT" train settings.yaml run.dir="$1" "${@:2}" >"$1.log" 2>&1 || status=$?
}
step_of() { "$GRIDGPT" inspect "$1" | sed -n 's/^  step  *\([0-9]*\).*/\1/p'; }
patient="data.val=other/val-*.h5 eval.every_steps=2 eval.patience=3 run.steps=60 checkpoint.keep=1 optim.lr=1e-2"

alone whole $patient
expect 0 "stopped early at step" whole
at=$(sed -n 's/.*stopped early at step \([0-9]*\):.*/\1/p' whole.log)
# By Python: the step of the least loss, and three validations behind it the end.
"$GG_TEST_PYTHON" - "$at" <<'P' || fail "stopped at step $at"
import json, sys
lines = [l for l in map(json.loads, open("whole/metrics.jsonl")) if "val_loss" in l]
best, worse = (None, float("inf")), 0
for i, l in enumerate(lines):
    better = l["val_loss"] < best[1]
    best, worse = ((l["step"], l["val_loss"]), 0) if better else (best, worse + 1)
    assert (l["best_step"], l["best_val_loss"]) == best, l
    assert (worse == 3) == (i == len(lines) - 1), (i, worse)
assert lines[-1]["step"] == int(sys.argv[1]) < 60 and 0 < best[0] < lines[-1]["step"]
open("best", "w").write(str(best[0]))
P
best_step=$(cat best)
[ "$(step_of whole/checkpoints/best.h5)" = "$best_step" ] || fail "best.h5 is of another step than $best_step"
[ "$(ls whole/checkpoints | tr '\n' ' ')" = "best.h5 step-$(printf %08d "$at").h5 " ] || fail "$(ls whole/checkpoints)"
"$GRIDGPT" inspect --verify whole/checkpoints/best.h5 | grep -q "at step $best_step; 0 without" || fail "inspect"
# It is what was validated.
loss=$("$GRIDGPT" evaluate whole/checkpoints/best.h5 --data other/val-*.h5 --sequences 7 2>/dev/null | sed -n 's,^  loss  *\([0-9.]*\).*,\1,p')
told=$(sed -n "s/.*\"step\":$best_step,.*\"val_loss\":\([0-9.]*\).*/\1/p" whole/metrics.jsonl)
awk "BEGIN { exit !(sqrt(($loss - $told) ^ 2) < 2e-4) }" || fail "best.h5: $loss, not $told"
# Ended is ended, and more patience goes on.
alone whole $patient
expect 0 "nothing to do; a larger eval.patience goes on" whole
alone whole $patient eval.patience=4
expect 0 "stopped early at step $((at + 2))" whole

# Killed again and again, wherever that is, and gone on with: the same end, the same best.
numbers[KILL]=9
for starts in $(seq 30); do
    signal sum:$((60 + 20 * starts)) KILL all alone parts $patient checkpoint.every_steps=1 checkpoint.async=false
    [ $status = 0 ] && break
    [ -e parts/checkpoints/best.h5 ] && touch parts/checkpoints/best.h5.tmp
done
[ "$starts" -gt 2 ] || fail "the run was not killed: $(cat parts.log)"
expect 0 "stopped early at step $at:" parts
[ "$(values parts val_loss)" = "$(head -n "$(values parts val_loss | wc -l)" <(values whole val_loss))" ] || fail "other losses"
[ "$(checksums parts/checkpoints/best.h5)" = "$(checksums whole/checkpoints/best.h5)" ] || fail "another best"
[ ! -e parts/checkpoints/best.h5.tmp ] || fail "a half-made name is left"
# Killed between the writing of the best and its naming: it gets the name at the next start.
export GG_SIGNAL_FILE=between/checkpoints/step-$(printf %08d "$best_step").h5
signal rename:1 KILL all alone between $patient checkpoint.every_steps=1 checkpoint.async=false
[ "$(step_of between/checkpoints/best.h5)" = $((best_step - 2)) ] || fail "killed elsewhere: $(cat between.log)"
alone between $patient
expect 0 "stopped early at step $at:" between
[ "$(step_of between/checkpoints/best.h5)" = "$best_step" ] || fail "the best has lost its name"
# A stop that is asked for in a validation: it is made up for at the next start, and counts there.
export GG_SIGNAL_FILE=asked/checkpoints/step-$(printf %08d "$best_step").h5
signal sum:5 TERM all train 2 asked $patient checkpoint.async=false
expect 75 "stopped on request at step $((best_step + 2)) of 60" asked
[ "$(values asked best_step | tail -1)" = "$best_step" ] && ! tail -1 asked/metrics.jsonl | grep -q val_loss ||
    fail "the validation was not left"
train 2 asked $patient
expect 0 "stopped early at step $at:" asked

# The best alone, without an end for it; and what would compare nothing is refused.
alone all data.val="other/val-*.h5" eval.every_steps=2 checkpoint.best=true run.steps=12 optim.lr=1e-2 checkpoint.keep=1
expect 0 "trained 12 steps" all
[ -e all/checkpoints/best.h5 ] || fail "no best.h5"
alone none eval.patience=3
expect 64 "eval.patience counts validations: set eval.every_steps" none
alone none eval.patience=3 eval.every_steps=1 data.val=
expect 64 "eval.patience compares validations, and there is no data.val" none
rm -rf ./*
