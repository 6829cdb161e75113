#!/usr/bin/env bash
# gridgpt tokenizer train, encode, decode as a user calls them: output, messages, exit statuses, files left behind.
set -euo pipefail
tokenizer() { "$GRIDGPT" tokenizer "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# refused STATUS MESSAGE COMMAND...: the command ends with that status and says that on standard error.
refused() {
  local status=$1 message=$2 got=0
  shift 2
  "$@" >out.txt 2>err.txt </dev/null || got=$?
  [ "$got" = "$status" ] || fail "status $got, not $status: $* ($(cat err.txt))"
  grep -qF -- "$message" err.txt || fail "'$message' is not in: $(cat err.txt)"
  [ "$(wc -l <err.txt)" -le 1 ] || fail "more than one line: $(cat err.txt)"
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

for ((i = 0; i < 200; i++)); do echo "the cat sat on the mat, and the dog number $i lay by it; they're friends"; done >text.txt
tokenizer train --vocab 300 --out a.json text.txt 2>err.txt
grep -qE '^a.json: 300 entries from [0-9]+ bytes of text in [0-9.]+ s, [0-9.]+ bytes per token' err.txt || fail "$(cat err.txt)"
tokenizer train --vocab=300 --out b.json - <text.txt 2>/dev/null
cmp a.json b.json || fail "training from standard input gave another tokenizer"
head -n 100 text.txt >1.txt
tail -n +101 text.txt >2.txt
tokenizer train --vocab 300 --out b.json 2.txt 1.txt 2>/dev/null
cmp a.json b.json || fail "the order of the files changed the tokenizer"
gzip -k 1.txt
zstd -q 2.txt
tokenizer train --vocab 300 --out b.json 1.txt.gz 2.txt.zst 2>/dev/null
cmp a.json b.json || fail "packed files give another tokenizer"
head -c 100 2.txt.zst >cut.zst
refused 65 "cut.zst" tokenizer train --out c.json cut.zst
echo "a b" | tokenizer train --vocab 400 --out little.json 2>err.txt
grep -q "note: no pair of tokens occurs twice" err.txt || fail "no note about too little text"

# A line per input, empty ones too; back to the same bytes.
: >empty.txt
head -c 20000 /dev/urandom >random.bin
tokenizer encode --tokenizer a.json text.txt empty.txt random.bin >ids.txt
[ "$(wc -l <ids.txt)" = 3 ] || fail "not a line per input"
sed -n 2p ids.txt | cmp - <(echo) || fail "an empty input is not an empty line"
cat text.txt random.bin | cmp - <(tokenizer decode --tokenizer a.json ids.txt) || fail "not the same bytes back"
cmp <(sed -n 1p ids.txt) <(tokenizer encode --tokenizer a.json <text.txt) || fail "standard input encodes otherwise"
[ "$(printf '<|endoftext|>' | tokenizer encode --special --tokenizer a.json)" = 299 ] || fail "--special"
[ "$(printf '<|endoftext|>' | tokenizer encode --tokenizer a.json | wc -w)" -gt 1 ] || fail "special without --special"
tokenizer encode --stats --tokenizer a.json text.txt 2>&1 >/dev/null | grep -qE 'encoder [0-9.]+ MB/s' || fail "--stats"
[ "$(echo 299 | tokenizer decode --tokenizer a.json)" = '<|endoftext|>' ] || fail "decoding of the special token"

for command in "" train encode decode; do
  tokenizer $command --help | grep -q "usage: gridgpt tokenizer" || fail "no help of '$command'"
done
got=0; tokenizer >/dev/null 2>&1 || got=$?
[ "$got" = 64 ] || fail "no command: status $got"
refused 64 "did you mean 'encode'" tokenizer encod
refused 64 "did you mean '--vocab'" tokenizer train --vocap 300 --out c.json text.txt
refused 64 "from 257 to" tokenizer train --vocab 256 --out c.json text.txt
refused 64 "--out TOKENIZER is wanted" tokenizer train text.txt
refused 64 "--tokenizer TOKENIZER is wanted" tokenizer encode text.txt
refused 65 "the text is empty" tokenizer train --out c.json empty.txt
refused 74 "missing.txt" tokenizer train --out c.json text.txt missing.txt
refused 74 "missing.txt" tokenizer encode --tokenizer a.json missing.txt
refused 74 "missing.json" tokenizer encode --tokenizer missing.json text.txt
refused 65 "text.txt: neither" tokenizer encode --tokenizer text.txt text.txt
refused 74 "nowhere/c.json" tokenizer train --out nowhere/c.json text.txt
[ ! -e c.json ] && [ ! -e c.json.tmp ] || fail "a refused training left a file"
echo "1 2 x3" >bad.txt
refused 65 "bad.txt: byte 4: not an id" tokenizer decode --tokenizer a.json bad.txt
echo "1 300" >bad.txt
refused 65 "bad.txt: byte 2: id 300 is not in the vocabulary of 300" tokenizer decode --tokenizer a.json bad.txt
echo "99999999999999999999999999" >bad.txt
refused 65 "bad.txt: byte 0" tokenizer decode --tokenizer a.json bad.txt
refused 74 "standard output" bash -c '"$GRIDGPT" tokenizer encode --tokenizer a.json text.txt >/dev/full'
refused 74 "standard output" bash -c '"$GRIDGPT" tokenizer decode --tokenizer a.json ids.txt >/dev/full'

# A gigabyte without an end of a word is refused with its place, soon.
printf 'so ' >long.txt
truncate -s 1G long.txt
refused 65 "long.txt: byte 2: a word" tokenizer encode --tokenizer a.json long.txt
refused 65 "long.txt: byte 2: a word" tokenizer train --out c.json long.txt
rm long.txt
# A long line of words is encoded in the memory of a block. (The address sanitizer takes more of its own.)
mkfifo pipe
"$GRIDGPT" tokenizer encode --stats --tokenizer a.json <pipe >/dev/null 2>err.txt &
encoder=$!
exec 3>pipe
(set +o pipefail; yes 'no end of this line in sight' | tr '\n' ' ' | head -c 200000000) >&3
peak=$(awk '/VmHWM/ {print $2}' "/proc/$encoder/status")
exec 3>&-
wait "$encoder" || fail "a long line: $(cat err.txt)"
grep -q "^200000000 bytes" err.txt || fail "a long line: $(cat err.txt)"
grep -q __asan_init "$GRIDGPT" || [ "$peak" -lt 150000 ] || fail "$peak KiB of memory for a line of 200 MB"
echo passed
