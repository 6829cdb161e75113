# What the tests of `gridgpt train` share: a tiny corpus, prepared by the real program, and small settings. Sourced.
set -euo pipefail
rm -rf ./*

# Of ranks that leave with a failure mpirun kills those that are not gone yet; by default it sleeps a second before SIGTERM
# and one before SIGKILL. Ours write and say all before MPI ends, so that nothing is lost where it kills at once. Tests of
# what mpirun does to ranks take this back (mpirun_as_usual).
export OMPI_MCA_odls_base_sigkill_timeout=0
mpirun_as_usual() { unset OMPI_MCA_odls_base_sigkill_timeout; }

fail() { echo "FAILED: $*" >&2; exit 1; }

# train RANKS NAME [key=value]...: a run in folder NAME; its output in NAME.log, its exit status in $status.
train() {
    local ranks=$1 name=$2
    shift 2
    status=0
    mpirun -n "$ranks" "$GRIDGPT" train settings.yaml run.dir="$name" "$@" >"$name.log" 2>&1 || status=$?
}

# expect STATUS TEXT NAME: how the last run of that name ended.
expect() {
    [ "$status" = "$1" ] || { cat "$3.log" >&2; fail "$3: exit status $status, not $1"; }
    grep -qF -- "$2" "$3.log" || { cat "$3.log" >&2; fail "$3: '$2' is not in its output"; }
}

# values RUN KEY: that number of every line of the run's metrics that has it.
values() { sed -n "s/.*\"$2\":\([^,}]*\).*/\1/p" "$1/metrics.jsonl"; }

# checksums FILE: name and checksum of every tensor, recomputed from the file's bytes.
checksums() {
    "$GG_TEST_PYTHON" - "$1" <<'P'
import hashlib, sys
import h5py
def show(name, item):
    if isinstance(item, h5py.Dataset) and name.startswith(("model/", "optimizer/")):
        print(name, hashlib.sha256(item[()].tobytes()).hexdigest())
with h5py.File(sys.argv[1]) as file:
    file.visititems(show)
P
}

# 60 kB of made-up sentences, the same every time.
awk 'BEGIN {
    split("the king and queen of every land saw a small red bird that sang by night under old trees while rain fell", w, " ")
    seed = 7
    for (line = 0; line < 900; line++) {
        text = ""
        for (i = 0; i < 12; i++) { seed = (seed * 1103515245 + 12345) % 2147483648; text = text w[1 + int(seed / 65536) % 22] " " }
        print text "."
    }
}' >text.txt
"$GRIDGPT" tokenizer train --vocab 300 --out tokenizer.json text.txt >prepare.log 2>&1
"$GRIDGPT" prepare --tokenizer tokenizer.json --val 0.1 --out data text.txt >>prepare.log 2>&1
cat >settings.yaml <<'Y'
model: {layers: 2, heads: 2, width: 32, context: 32, dropout: 0.1}
data: {train: "data/train-*.h5", val: "data/val-*.h5"}
batch: {sequences: 24, micro: 2}
optim: {lr: 2e-3, warmup: 5}
eval.sequences: 7
run.steps: 20
Y
