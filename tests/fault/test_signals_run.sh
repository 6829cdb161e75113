# A signal in a run's work: in validations, while a checkpoint is written, when the last step is done. Status 75 with a
# whole checkpoint, or 0 at the last step; and the same command ends as if there had been none.
source "$GG_SOURCE/tests/fault/signals.sh"

usual="run.steps=6 eval.every_steps=3 eval.sequences=0 checkpoint.every_steps=2"

# shellcheck disable=SC2086
interrupted() { # PLACE SIGNAL RANK RANKS NAME [key=value]...
    local place=$1 signal=$2 rank=$3
    shift 3
    signal "$place" "$signal" "$rank" train "$1" "$2" $usual "${@:3}"
    sent "$2"
    whole "$2"
}

# shellcheck disable=SC2086
goes_on() { # RANKS NAME REFERENCE [key=value]...: to the reference's last checkpoint and validations
    local name=$2 reference=$3 last
    last=$(basename "$reference"/checkpoints/*6.h5)
    train "$1" "$name" $usual "${@:4}"
    expect 0 "checkpoint: $name/checkpoints/$last" "$name"
    whole "$name"
    [ "$(checksums "$name/checkpoints/$last")" = "$(checksums "$reference/checkpoints/$last")" ] || fail "$name: other bits"
    [ "$(values "$name" step | sort -un)" = "$(values "$reference" step | sort -un)" ] || fail "$name: steps are missing"
    [ "$(values "$name" val_loss)" = "$(values "$reference" val_loss)" ] || fail "$name: other validations"
    [ "$("$GRIDGPT" inspect "$name/checkpoints/$last" | grep ' loss ')" = \
        "$("$GRIDGPT" inspect "$reference/checkpoints/$last" | grep ' loss ')" ] || fail "$name: another loss is kept"
}

at_step() { # STEP NAME: stopped in good order behind it, with its checkpoint
    expect 75 "stopped on request at step $1 of 6; the same command goes on from there" "$2"
    [ -e "$2/checkpoints/step-0000000$1.h5" ] || fail "$2: no checkpoint of step $1"
}

# shellcheck disable=SC2086
for layout in 1,1x1 2,1x1 2,2x1 4,1x1; do
    train "${layout%,*}" "reference$layout" $usual parallel.grid="${layout#*,}"
    expect 0 "trained 6 steps" "reference$layout"
done

# In the validation before the first step.
export GG_SIGNAL_FILE=zero/metrics.jsonl
interrupted sum:12 TERM 1 2 zero
expect 75 "before the first step of this start" zero
[ ! -s zero/metrics.jsonl ] || fail "zero: the validation was not left"
goes_on 2 zero reference2,1x1

# In the validations behind the third and the last step: they are left, and done when the run goes on.
left() { # STEP SIGNAL RANK RANKS GRID CALL
    local name=left$1$4$5
    export GG_SIGNAL_FILE=$name/checkpoints/step-0000000$((($1 - 1) / 2 * 2)).h5
    interrupted "sum:$6" "$2" "$3" "$4" "$name" checkpoint.async=false parallel.grid="$5"
    at_step "$1" "$name"
    [ "$(tail -n 1 "$name/metrics.jsonl" | grep -c "\"step\":$1,.*val_loss")" = 0 ] || fail "$name: the validation was not left"
    goes_on "$4" "$name" "reference$4,$5" checkpoint.async=false parallel.grid="$5"
}
left 3 USR1 1 2 1x1 20
left 3 INT 0 2 2x1 30
left 6 TERM 0 1 1x1 40

# While a checkpoint is written, behind the training and not.
written() { # PLACE SIGNAL RANK RANKS NAME ASYNC
    interrupted "$1" "$2" "$3" "$4" "$5" checkpoint.async="$6"
    expect 75 "the same command goes on from there" "$5"
    [ -e "$5/checkpoints/step-0000000$(sed -n 's/.*on request at step \([0-9]\) of 6.*/\1/p' "$5.log").h5" ] ||
        fail "$5: no checkpoint of the step"
    goes_on "$4" "$5" "reference$4,1x1" checkpoint.async="$6"
}
written pwritev:2 TERM 1 2 behind true
written pwritev:3 USR1 all 4 before false
written rename:2 INT 0 1 named true

# Behind the last step's checkpoint, and while MPI ends: the run is done.
for place in sum MPI_Finalize; do
    export GG_SIGNAL_FILE=$place/checkpoints/step-00000006.h5
    interrupted $place:1 INT all 2 $place
    expect 0 "trained 6 steps" $place
done
