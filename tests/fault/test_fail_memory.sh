# Memory that runs out anywhere, in the program's code or in a library's, ends every command in good order. How long the
# whole sweep takes stands in fail_memory.py; here each allocation of our own for the cheap commands, and some of train's.
[ -z "${GG_SANITIZE:-}" ] || { echo "skipped: sanitizers have allocation functions of their own"; exit 77; }
source "$GG_SOURCE/tests/jobs/training.sh"
sweep() { "$GG_TEST_PYTHON" "$GG_SOURCE/tests/fault/fail_memory.py" --strict "$@"; }

sweep --class ours --commands inspect,inspect_shard
sweep --class ours --commands tokenizer_train --every 8
sweep --class ours --commands import,export --every 20
sweep --class ours --commands prepare,evaluate,generate,generate_bf16 --every 60
sweep --class ours --commands train,resume,train_bf16 --every 400
sweep --class libraries --commands import,export,inspect,inspect_shard,tokenizer_train,prepare,evaluate,generate,generate_bf16 --places 10
sweep --class libraries --commands train,resume,train_bf16 --places 4
sweep --class libraries --commands inspect,prepare --places 6 --offset 3 --rest
sweep --class mappings --commands evaluate,generate_bf16

# One rank that ends so takes the others along, which would wait for it for ever.
cat >rank1 <<'S'
#!/bin/bash
[ "$OMPI_COMM_WORLD_RANK" != 1 ] || export LD_PRELOAD="$GG_FAIL_MALLOC"
exec "$@"
S
chmod +x rank1
mpirun_as_usual
for number in 3000 60000; do
    rm -rf run
    status=0
    GG_FAIL_CLASS=libraries GG_FAIL_NTH=$number mpirun -n 3 ./rank1 "$GRIDGPT" train settings.yaml run.dir=run \
        run.steps=5000 eval.sequences=1 run.watchdog=0 >run.log 2>&1 || status=$?
    expect 71 "gridgpt: out of memory (" run
done
