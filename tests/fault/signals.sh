# What the tests of signals in awkward places share: runs that get one at the N-th call of a function. Sourced.
source "$GG_SOURCE/tests/jobs/training.sh"
export ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 # libraries are loaded in front of the sanitizer's

declare -A numbers=([INT]=2 [TERM]=15 [USR1]=10)

# signal PLACE SIGNAL RANK COMMAND...: the command, with the signal to that rank ("all": to every one) at the call.
signal() {
    local place=$1 signal=${numbers[$2]} rank=$3
    shift 3
    export GG_SIGNAL_AT=$place GG_SIGNAL=$signal LD_PRELOAD=$GG_SIGNAL_AT_LIBRARY
    [ "$rank" = all ] || export GG_SIGNAL_RANK=$rank
    "$@"
    unset GG_SIGNAL_AT GG_SIGNAL GG_SIGNAL_RANK GG_SIGNAL_FILE LD_PRELOAD
}

# sent NAME: the place was reached.
sent() { grep -q '^signal_at: ' "$1.log" || { cat "$1.log" >&2; fail "$1: the run never came to the place"; }; }

# whole NAME: every checkpoint of the run is, and nothing half-written is left.
whole() {
    local file
    for file in "$1"/checkpoints/*; do
        [ -e "$file" ] || continue
        [[ $file == *.h5 ]] || fail "$1: $file is left"
        "$GRIDGPT" inspect --verify "$file" >inspect.log 2>&1 || { cat inspect.log "$1.log" >&2; fail "$file"; }
    done
}
