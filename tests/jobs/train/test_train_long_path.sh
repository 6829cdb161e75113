# A run folder with the longest name that works, by 1, 2 and 4 ranks, with checkpoints written at once and behind, a
# stop and a resume in between; nothing but what belongs there is left in it; a longer name is refused at the start.
source "$GG_SOURCE/tests/jobs/training.sh"

# deep LENGTH: a relative name of that length, of parts as long as they may be.
deep() {
    local part name
    part=$(printf 'p%.0s' $(seq 255))
    name=$part
    while [ ${#name} -lt $(($1 - 256)) ]; do name=$name/$part; done
    [ ${#name} -lt "$1" ] && name=$name/$(printf 'e%.0s' $(seq $(($1 - ${#name} - 1))))
    printf '%s' "${name:0:$1}"
}

# run LENGTH RANKS [key=value]...: three steps, a stop, a resume to the end; then the checkpoint is used.
run() {
    local length=$1 ranks=$2 name where
    shift 2
    name=$(deep "$length")
    [ ${#name} = "$length" ] || fail "a name of ${#name} characters, not $length"
    rm -rf ppp*
    status=0
    mpirun -n "$ranks" "$GRIDGPT" train settings.yaml run.dir="$name" checkpoint.every_steps=1 run.steps=3 "$@" \
        >here.log 2>&1 || status=$?
    expect 0 "" here
    grep -q "warning: no checkpoint" here.log && { cat here.log; fail "$length, $ranks ranks: not written"; }
    mpirun -n "$ranks" "$GRIDGPT" train settings.yaml run.dir="$name" checkpoint.every_steps=1 run.steps=5 "$@" \
        >here.log 2>&1 || status=$?
    expect 0 "step 3 of 5" here
    # The folder itself is too deep for a name that begins at /.
    (
        IFS=/
        for where in $name; do cd "$where" || exit 1; done
        find . | sort | tr '\n' ' '
    ) >left || fail "$name is not there"
    [ "$(cat left)" = ". ./checkpoints ./checkpoints/step-00000003.h5 ./checkpoints/step-00000004.h5 ./checkpoints/step-00000005.h5 ./lock ./metrics.jsonl ./settings.yaml " ] ||
        fail "$length, $ranks ranks: left $(cat left)"
}

# 230: more than MPI-IO of Open MPI 4.1 has room for, once the checkpoint's name stands behind it.
longest=$((4096 - 52))
run 230 2
for ranks in 1 2 4; do
    run $longest $ranks
done
run $longest 2 checkpoint.async=false
name=$(deep $longest)
for command in "evaluate $name --data data/val-00000.h5" "generate $name --prompt the --tokens 3" \
    "inspect $name/checkpoints/step-00000005.h5 --verify"; do
    status=0
    # shellcheck disable=SC2086
    mpirun -n 1 "$GRIDGPT" $command >command.log 2>&1 || status=$?
    expect 0 "" command
done

status=0
mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir="$(deep $((longest + 1)))" >longer.log 2>&1 || status=$?
expect 64 "at most" longer
status=0
part=$(printf 'p%.0s' $(seq 256))
mpirun -n 2 "$GRIDGPT" train settings.yaml run.dir="$part" >longer.log 2>&1 || status=$?
expect 74 "File name too long" longer

# A checkpoint whose own name is as long as it may be.
file=$(printf 'n%.0s' $(seq 252)).h5
train 1 short run.steps=1
cp short/checkpoints/step-00000001.h5 "$file"
status=0
mpirun -n 2 "$GRIDGPT" evaluate "$file" --data data/val-00000.h5 >command.log 2>&1 || status=$?
expect 0 "" command
