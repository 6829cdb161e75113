# A signal in a run's start, from the first line of main on: status 75, nothing lost, and the same command goes on.
source "$GG_SOURCE/tests/fault/signals.sh"

short="run.steps=2 checkpoint.every_steps=1"
begins="stopped on request before the first step of this start"

# shellcheck disable=SC2086
early() { # PLACE SIGNAL RANK RANKS NAME [key=value]...: stopped there, before any step
    local place=$1 signal=$2 rank=$3
    shift 3
    signal "$place" "$signal" "$rank" train "$@" $short
    sent "$2"
    expect 75 "$begins" "$2"
    whole "$2"
}

# shellcheck disable=SC2086
anew() { # RANKS NAME [key=value]...: the same command makes the whole run
    train "$@" $short
    expect 0 "trained 2 steps" "$2"
    [ "$(values "$2" step | sort -un | tr '\n' ' ')" = "0 1 2 " ] || fail "$2: steps are missing"
    whole "$2"
}

early pthread_create:1 TERM 0 1 first
anew 1 first
early MPI_Init_thread:1 INT 0 1 init
early MPI_Init_thread:1 USR1 all 4 init4
early MPI_Init_thread:1 TERM 1 2 grid parallel.grid=2x1
anew 2 grid parallel.grid=2x1

# Opening the data; looking for checkpoints; measuring, allocating, beginning.
early H5Fopen:1 TERM 1 2 data
for call in 12 24; do
    early sum:$call USR1 1 2 "start$call"
done
early MPI_Barrier:1 INT 0 2 rate
export GG_SIGNAL_FILE=begun/metrics.jsonl
early sum:2 TERM 0 2 begun
anew 2 begun

# A resume's reading, of a run that has a step yet to do.
for layout in "1 1x1 0" "2 1x1 1" "2 2x1 0" "4 1x1 3"; do
    read -r ranks grid rank <<<"$layout"
    name=read$ranks$grid
    cp -r first "$name"
    rm "$name/checkpoints/step-00000002.h5"
    before=$(checksums "$name/checkpoints/step-00000001.h5")
    export GG_SIGNAL_FILE=$name/lock
    early preadv:3 TERM "$rank" "$ranks" "$name" parallel.grid="$grid"
    [ "$(checksums "$name/checkpoints/step-00000001.h5")" = "$before" ] || fail "$name: the checkpoint is another"
done
train 2 read21x1 run.steps=2
expect 0 "step 1 of 2" read21x1

# While it waits for a run that holds the folder (the wait ends with another status).
exec 9>>first/lock
flock 9
# shellcheck disable=SC2086
"$GRIDGPT" train settings.yaml run.dir=first $short >first.log 2>&1 9>&- &
pid=$!
for _ in $(seq 300); do
    [ -z "$(find "/proc/$pid/fd" -lname '*/first/lock' 2>/dev/null)" ] || break
    sleep 0.1
done
kill -USR1 $pid
status=0
wait $pid || status=$?
expect 75 "$begins" first
