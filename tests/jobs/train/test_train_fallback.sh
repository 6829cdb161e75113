# Checkpoints that cannot be trusted are passed over for older ones; nothing begins again unless told so; two jobs
# cannot have one run folder; what a killed job left is removed.
source "$GG_SOURCE/tests/jobs/training.sh"
"$GG_TEST_PYTHON" -c 'import h5py' 2>/dev/null || { echo "skipped: $GG_TEST_PYTHON has no h5py"; exit 77; }

train 2 whole run.steps=30 checkpoint.every_steps=5 checkpoint.keep=9
expect 0 "checkpoint: whole/checkpoints/step-00000030.h5" whole
checksums whole/checkpoints/step-00000030.h5 >whole.sums

at() { printf '%s/checkpoints/step-%08d.h5' "$1" "$2"; }
flip() { # FILE: a bit in the middle of its largest tensor
    "$GG_TEST_PYTHON" - "$1" <<'P'
import h5py, sys
with h5py.File(sys.argv[1]) as file:
    tensor = file["optimizer/exp_avg/transformer.h.1.mlp.c_fc.weight"]
    place = tensor.id.get_offset() + tensor.size * 2
with open(sys.argv[1], "r+b") as file:
    file.seek(place)
    byte = file.read(1)
    file.seek(place)
    file.write(bytes([byte[0] ^ 0x04]))
P
}

# Newest to oldest: a bit flip in a moment, a cut file, another program's file, an empty one, a good one.
cp -r whole part
flip "$(at part 30)"
truncate -s -4096 "$(at part 25)"
head -c 100000 /dev/urandom >"$(at part 20)"
: >"$(at part 15)"
touch part/checkpoints/step-00000017.h5.tmp part/checkpoints/step-00000040.h5.tmp
train 2 part run.steps=30 checkpoint.every_steps=5 checkpoint.keep=2
expect 0 "resuming from part/checkpoints/step-00000010.h5: step 10 of 30" part
expect 0 "not used: part/checkpoints/step-00000030.h5: damaged: tensor optimizer/exp_avg/transformer.h.1.mlp.c_fc.weight does not fit its checksum" part
for step in 25 20 15; do expect 0 "not used: $(at part $step): " part; done
checksums "$(at part 30)" >part.sums
cmp whole.sums part.sums || fail "a run that went on from an older checkpoint ends with other weights"
for key in step loss grad_norm tokens val_loss; do
    cmp <(values whole $key) <(values part $key) || fail "other metrics: $key"
done
[ "$(ls part/checkpoints | tr '\n' ' ')" = "step-00000015.h5.damaged step-00000020.h5.damaged step-00000025.h5 \
step-00000025.h5.damaged step-00000030.h5 step-00000030.h5.damaged " ] || fail "left: $(ls part/checkpoints)"

# None can be used: the run does not begin again by itself, and leaves everything as it is.
rm part/checkpoints/*.damaged
for step in 25 30; do flip "$(at part $step)"; done
ls part/checkpoints >before.txt
for _ in 1 2; do
    train 2 part run.steps=30
    expect 65 "none of the 2 checkpoints in part/checkpoints can be used" part
    expect 65 "run.restart=true" part
    cmp before.txt <(ls part/checkpoints) || fail "a refused run changed the folder"
done
train 2 part run.steps=30 run.restart=true parallel.zero=1
expect 0 "set aside as part/checkpoints/step-00000030.h5.damaged" part
cmp <(values whole step) <(values part step) || fail "not begun again at step 0"
train 2 part run.steps=30
expect 0 "nothing to do" part

# Kept for ever.
train 2 kept run.steps=23 checkpoint.every_steps=2 checkpoint.keep=2 checkpoint.keep_every=6 checkpoint.async=false
expect 0 "checkpoint: kept/checkpoints/step-00000023.h5" kept
[ "$(ls kept/checkpoints | tr '\n' ' ')" = "step-00000006.h5 step-00000012.h5 step-00000018.h5 step-00000022.h5 \
step-00000023.h5 " ] || fail "kept: $(ls kept/checkpoints)"

# A second job is refused, and one that waits for a dying first job gets in.
flock kept/lock sleep 14 &
train 1 kept run.steps=25
expect 1 "kept is another job's run folder now: process" kept
wait
flock kept/lock sleep 3 &
train 1 kept run.steps=25
expect 0 "resuming from kept/checkpoints/step-00000023.h5" kept
wait
