# Settings and data that cannot work are refused by one message and the documented exit status; nothing hangs and
# no run folder is made.
source "$GG_SOURCE/tests/jobs/training.sh"

refused() { # STATUS TEXT RANKS [key=value]...
    local wanted=$1 text=$2
    shift 2
    train "$1" refused "${@:2}"
    expect "$wanted" "$text" refused
    [ "$(grep -c '^gridgpt train:' refused.log)" = 1 ] || { cat refused.log >&2; fail "not one message"; }
    [ ! -e refused ] || fail "a run folder was made for: ${*:2}"
}

refused 64 "batch.sequences 16 or 24 would work" 4 batch.sequences=18
refused 64 "batch.micro 3" 2 batch.sequences=18 batch.micro=6
refused 64 "heads 3 does not divide model.width 32" 2 model.heads=3
refused 64 "model.vocab 299 is smaller" 2 model.vocab=299
refused 64 "parallel.grid 2x2 needs a multiple of 4 ranks" 3 parallel.grid=2x2
refused 64 "parallel.grid is '2by2'" 2 parallel.grid=2by2
refused 64 "did you mean 'optim.lr'" 2 optim.lrr=1
refused 64 "none, attention, block" 2 compute.recompute=all
refused 64 "optim.lr cannot be 'fast'" 2 optim.lr=fast
refused 64 "data.train is not set" 2 "data.train=[]"
refused 74 "nowhere" 2 data.train=nowhere/*.h5
refused 65 "data.train" 2 model.context=100000
ln -s train-00000.h5 data/link.h5
refused 64 "'data/train-00000.h5' and './data/train-00000.h5' are the same file" 2 data.train='[data/train-*.h5, ./data/train-*.h5]'
refused 64 "'data/train-00000.h5' and 'data/link.h5' are the same file" 1 data.train='[data/train-*.h5, data/link.h5]'
rm data/link.h5
mkfifo fifo.h5
refused 65 "fifo.h5: is a FIFO, not a file" 2 data.train=fifo.h5
refused 65 "fifo.h5: is a FIFO, not a file" 1 data.val=fifo.h5
refused 74 "no-tokenizer.json" 2 data.tokenizer=no-tokenizer.json

"$GRIDGPT" tokenizer train --vocab 280 --out other.json text.txt >other.log 2>&1
refused 65 "other.json is not the tokenizer" 2 data.tokenizer=other.json
mkdir other
"$GRIDGPT" prepare --tokenizer other.json --val 0.1 --out other text.txt >other.log 2>&1
refused 65 "different tokenizers" 2 data.val=other/val-00000.h5

mkdir bad
for file in tokenizer.json train-00000.h5; do cp data/$file bad/; done
truncate -s -100 bad/train-00000.h5
refused 65 "bad/train-00000.h5" 2 data.train=bad/train-00000.h5
echo "not a shard" >bad/train-00000.h5
refused 65 "bad/train-00000.h5" 2 data.train=bad/train-00000.h5

status=0
"$GRIDGPT" train >none.log 2>&1 || status=$?
expect 64 "too few words" none
status=0
"$GRIDGPT" train nowhere.yaml >none.log 2>&1 || status=$?
expect 64 "nowhere.yaml" none

# A shard that is damaged behind its index is found while training: every rank ends.
cp data/train-00000.h5 data/tokenizer.json bad/
"$GG_TEST_PYTHON" - <<'P' || { echo "skipped: $GG_TEST_PYTHON has no h5py"; exit 77; }
import h5py
with h5py.File("bad/train-00000.h5") as file:
    place = file["tokens"].id.get_chunk_info(0)
with open("bad/train-00000.h5", "r+b") as file:
    file.seek(place.byte_offset + place.size // 2)
    byte = file.read(1)
    file.seek(-1, 1)
    file.write(bytes([byte[0] ^ 0x10]))
P
train 3 damaged data.train=bad/train-00000.h5
expect 65 "bad/train-00000.h5" damaged
