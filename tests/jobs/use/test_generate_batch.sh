# generate on a list of prompts: a text depends on the seed, the prompt and its number alone, on every layout; and
# what ends a text, and what is said of it.
source "$GG_SOURCE/tests/jobs/training.sh"

train 2 run eval.sequences=0 run.steps=30
expect 0 "trained 30 steps" run

# Prompts of other lengths, the third longer than the context, the fourth reaching its end; and more than the
# eight texts that are written at once.
"$GG_TEST_PYTHON" - <<'P'
import json
prompts = ["the king", "a", "the king and queen of every land saw a small red bird that sang by night " * 3,
           "under old trees while rain fell the king and queen saw a small", "by night"]
json.dump(prompts, open("prompts.json", "w"))
with open("five.jsonl", "w") as f:
    for i, p in enumerate(prompts):
        f.write(json.dumps({"prompt": p} if i % 2 == 0 else p) + "\n" * (1 + i % 2))
for k, prompt in enumerate(prompts): # alone behind others of a token
    open(f"alone{k}.jsonl", "w").write('"a"\n' * k + json.dumps(prompt) + "\n")
open("many.jsonl", "w").write(open("five.jsonl").read() + "".join(json.dumps("old " * (1 + i)) + "\n" for i in range(7)))
P

# generate RANKS NAME ARGUMENT...: its output in NAME.
generate() {
    local ranks=$1 name=$2
    shift 2
    mpirun -n "$ranks" "$GRIDGPT" generate run --seed 5 "$@" >"$name" 2>generate.log || fail "generate $*: $(cat generate.log)"
}
sampled="--temperature 0.9 --tokens 40 --repetition-penalty 1.2 --min-p 0.02 --json"

precisions=fp32
! "$GRIDGPT" generate run --prompt a --tokens 1 --precision bf16 >/dev/null 2>&1 || precisions="fp32 bf16"
for precision in $precisions; do
    for grid in 1x1 2x1 1x2; do
        ranks=$((${grid%x*} * ${grid#*x}))
        generate $ranks five-$precision-$grid.jsonl --grid $grid --precision $precision --prompts five.jsonl $sampled
        [ "$(wc -l <five-$precision-$grid.jsonl)" = 5 ] || fail "$grid, $precision: not a line for each prompt"
    done
    generate 1 many.out --precision $precision --prompts many.jsonl $sampled
    [ "$(wc -l <many.out)" = 12 ] || fail "$precision: not a line for each of 12 prompts"
    head -n 5 many.out | cmp -s - five-$precision-1x1.jsonl || fail "$precision: among twelve prompts others are written"
    for k in 0 1 2 3 4; do
        for grid in 1x1 2x1 1x2; do
            [ $grid = 1x1 ] || [ $k = 3 ] || continue
            generate $((${grid%x*} * ${grid#*x})) alone.out --grid $grid --precision $precision --prompts alone$k.jsonl $sampled
            tail -n 1 alone.out | cmp -s - <(sed -n $((k + 1))p five-$precision-$grid.jsonl) || \
                fail "$precision, $grid: prompt $k is written otherwise among others"
        done
    done
done
# Over layouts sums are rounded otherwise: the same ids, log-probabilities to rounding.
"$GG_TEST_PYTHON" - <<'P' || fail "layouts differ"
import json
prompts = json.load(open("prompts.json"))
one, *others = ([json.loads(line) for line in open(f"five-fp32-{grid}.jsonl")] for grid in ("1x1", "2x1", "1x2"))
for i, line in enumerate(one):
    assert list(line) == ["prompt", "text", "ids", "log_probabilities", "end"], line
    assert line["prompt"] == prompts[i] and line["end"] == "tokens", line
    assert len(line["ids"]) == len(line["log_probabilities"]) == 40 and max(line["log_probabilities"]) <= 0
    for other in others:
        assert other[i]["ids"] == line["ids"] and other[i]["text"] == line["text"], (line, other[i])
        assert all(abs(a - b) < 1e-3 for a, b in zip(other[i]["log_probabilities"], line["log_probabilities"]))
assert len({line["text"] for line in one}) == 5
P

# Each prompt of a list has random numbers of its own, the ninth others than the one whose place it takes.
for _ in 1 2 3 4 5 6 7 8 9; do echo '"the king"'; done >same.jsonl
generate 1 same.out --prompts same.jsonl --tokens 20 --json
[ "$(sort -u same.out | wc -l)" = 9 ] || fail "prompts of a list share random numbers"

# Without --json the texts come in the prompts' order; one prompt alone is the first of a list.
generate 1 five.txt --prompts five.jsonl --tokens 20
generate 1 first.txt --prompt "the king" --tokens 20
head -c "$(wc -c <first.txt)" five.txt | cmp -s - first.txt || fail "--prompt and the first of --prompts differ"
"$GG_TEST_PYTHON" - <<'P' || fail "prompts are not in their order: $(cat five.txt)"
import json
text, at = open("five.txt", errors="replace").read(), 0
for prompt in json.load(open("prompts.json")):
    at = text.index(prompt, at) + len(prompt)
P
generate 1 stdin.txt --prompts - --tokens 20 <five.jsonl
cmp -s stdin.txt five.txt || fail "prompts from standard input"

# A stop text ends the text before it, in the middle of a token too; the same text otherwise.
likely="--prompt the --temperature 0.2 --tokens 60"
generate 1 whole.jsonl $likely --json
"$GG_TEST_PYTHON" - >stop.txt <<'P'
import json, re
print(re.search("[a-z]([a-z] [a-z]+)", json.load(open("whole.jsonl"))["text"])[1], end="") # behind a word's first letter
P
stop=$(cat stop.txt)
generate 1 stopped.jsonl $likely --json --stop "never said" --stop "${stop}X" --stop "$stop"
generate 1 stopped.txt $likely --stop "$stop"
generate 1 unstopped.jsonl $likely --json --stop "${stop}X"
generate 1 unstopped.txt $likely --stop "${stop}X"
generate 1 whole.txt $likely
cmp -s unstopped.jsonl whole.jsonl && cmp -s unstopped.txt whole.txt || fail "a stop text that never comes changes the text"
"$GG_TEST_PYTHON" - <<'P' || fail "--stop '$stop': $(cat whole.jsonl stopped.jsonl stopped.txt)"
import json
whole, stopped, stop = json.load(open("whole.jsonl")), json.load(open("stopped.jsonl")), open("stop.txt").read()
text = whole["text"][: whole["text"].index(stop)]
assert stopped["end"] == "stop" and stopped["text"] == text, (stopped, text)
count = len(stopped["ids"])
assert count < 60 and stopped["ids"] == whole["ids"][:count]
assert open("stopped.txt").read() == "the" + text + "\n"
P

# No token twice where having it is made all but impossible; only the likeliest where no other is as likely.
generate 1 penalised.jsonl --prompt "the king" --temperature 0 --repetition-penalty 100 --tokens 25 --json
generate 1 greedy.jsonl --prompt "the king" --temperature 0 --tokens 25 --json
generate 1 likeliest.jsonl --prompt "the king" --temperature 5 --min-p 1 --tokens 25 --json
"$GG_TEST_PYTHON" - <<'P' || fail "penalty and min-p: $(cat penalised.jsonl greedy.jsonl)"
import json
penalised, greedy = (json.load(open(f"{n}.jsonl"))["ids"] for n in ("penalised", "greedy"))
assert len(set(greedy)) < 25 and len(set(penalised)) == 25, (greedy, penalised)
P
cmp -s greedy.jsonl likeliest.jsonl || fail "--min-p 1 is not the likeliest"

# Ids in and out; the end of a document.
generate 1 ids.jsonl --ids --prompts - --temperature 0 --tokens 3 --json <<<'"12, 34"'
generate 1 ids.txt --ids --prompt "12, 34" --temperature 0 --tokens 3
"$GG_TEST_PYTHON" - <<'P' || fail "--ids: $(cat ids.jsonl ids.txt)"
import json
line = json.load(open("ids.jsonl"))
assert "text" not in line and len(line["ids"]) == 3, line
assert open("ids.txt").read() == "12, 34" + "".join(f" {i}" for i in line["ids"]) + "\n"
P
for _ in $(seq 1500); do echo '{"text": "red bird sang"}'; done >short.jsonl
"$GRIDGPT" prepare --tokenizer tokenizer.json --keep-duplicates --val 0 --out short short.jsonl >>prepare.log 2>&1
train 2 short-run data.train=short/train-00000.h5 data.val=[] run.steps=60 model.dropout=0 chat.turns=true \
    chat.user_prefix=r "chat.user_suffix= bi" chat.assistant_prefix=rd
expect 0 "trained 60 steps" short-run
"$GRIDGPT" generate short-run --prompt red --temperature 0 --json >ended.jsonl 2>generate.log || fail "$(cat generate.log)"
"$GG_TEST_PYTHON" - <<'P' || fail "the end of a document: $(cat ended.jsonl)"
import json
line = json.load(open("ended.jsonl"))
assert line["end"] == "end_of_text" and line["text"] == " bird sang" and len(line["ids"]) >= 2, line
P

# An answer: the turns are written in the checkpoint's template, and the answer is all that comes.
chat() { # ARGUMENT...
    "$GRIDGPT" generate short-run --chat --temperature 0 "$@" 2>generate.log || fail "--chat $*: $(cat generate.log)"
}
answer=" sang"
[ "$(chat --prompt ed)" = "$answer" ] || fail "--chat --prompt"
[ "$(echo ed | chat)" = "$answer" ] || fail "--chat from standard input"
[ "$(chat --prompt ed --stop ang)" = " s" ] || fail "--chat --stop"
user='{"role": "user", "content": "ed"}'
printf '{"messages": [%s]}\n\n{"messages": [%s, {"role": "assistant", "content": " sang"}, %s], "more": 1}\n' "$user" "$user" "$user" >turns.jsonl
chat --prompts turns.jsonl --json --tokens 30 >turns.out
mpirun -n 2 "$GRIDGPT" generate short-run --chat --temperature 0 --prompts turns.jsonl >turns.txt 2>generate.log || fail "$(cat generate.log)"
"$GG_TEST_PYTHON" - "$GRIDGPT" <<'P' || fail "--chat: $(cat turns.out turns.txt)"
import json, os, pty, subprocess, sys, time
answer = " sang"
lines = [json.loads(line) for line in open("turns.out")]
told = [json.loads(line)["messages"] for line in open("turns.jsonl") if line.strip()]
assert [line["messages"] for line in lines] == told and "prompt" not in lines[0], lines
assert lines[0]["text"] == answer and lines[0]["end"] == "end_of_text", lines[0]
assert open("turns.txt").read().startswith(answer + "\n")
# Lines at a terminal, until they end: a turn sees those before it, and one that finds no room begins anew.
ours, theirs = pty.openpty()
talk = subprocess.Popen([sys.argv[1], "generate", "short-run", "--chat", "--temperature", "0", "--tokens", "30"], stdin=theirs,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
for line in ["ed"] + ["", "ed"] * 4:
    os.write(ours, line.encode() + b"\n")
os.write(ours, b"\x04")
out, err = talk.communicate(timeout=60)
assert talk.returncode == 0, err
answers = out.split("\n")
assert answers[0] == answer and answers.count(answer) >= 2 and len(answers) == 6, out
assert "is full; another conversation begins" in err and err.count("> ") == 10, err
P

refused() { # STATUS PART ARGUMENT...
    local wanted=$1 part=$2 got=0
    shift 2
    "$GRIDGPT" generate run "$@" >refused.out 2>refused.err || got=$?
    [ $got = "$wanted" ] || fail "status $got, not $wanted: $* ($(cat refused.err))"
    grep -qF -- "$part" refused.err || fail "'$part' is not said: $(cat refused.err)"
    [ ! -s refused.out ] || fail "refused and yet written: $*"
}
bad() { # LINE PART: the third line of a file, a blank one among them
    printf '"a"\n\n%s\n"b"\n' "$1" >bad.jsonl
    refused 65 "bad.jsonl: line 3: $2" --prompts bad.jsonl --tokens 1
}
bad '{"prompt": "a"' "is not JSON"
bad '{"prompt": "a"} "b"' "is not JSON"
bad '{"prompt": "a", "prompt": "b"}' "is not JSON"
bad '{"text": "a"}' 'has no "prompt"'
bad '{"prompt": 7}' "its prompt is no string"
bad '["a"]' "its prompt is no string"
bad '{"prompt": ""}' "its prompt is empty"
printf '"12"\n"12 9999"\n' >bad.jsonl
refused 65 "bad.jsonl: line 2: the model has ids up to" --ids --prompts bad.jsonl
printf '"12"\n"none"\n' >bad.jsonl
refused 65 "bad.jsonl: line 2: token ids are wanted" --ids --prompts bad.jsonl
printf '\n \n' >bad.jsonl
refused 65 "bad.jsonl: holds no prompt" --prompts bad.jsonl
refused 74 "gone.jsonl" --prompts gone.jsonl
refused 64 "exclude each other" --prompts five.jsonl --prompt a
refused 64 "--stop looks at text" --ids --prompt 1 --stop a
refused 64 "an empty text" --prompt a --stop '[""]'
refused 64 "a number from 0 to 1" --prompt a --min-p 2
refused 64 "a number from" --prompt a --repetition-penalty 0
refused 64 "has learned no conversations" --chat --prompt a
refused 64 "leave one of them out" --chat --ids --prompt 1
refused 64 "nothing is said" --chat --prompt ""
refused_turn() { # LINE PART
    printf '{"messages": [%s]}\n\n%s\n' "$user" "$1" >bad.jsonl
    local got=0
    "$GRIDGPT" generate short-run --chat --prompts bad.jsonl >refused.out 2>refused.err || got=$?
    [ $got = 65 ] && grep -qF -- "bad.jsonl: line 3: $2" refused.err && [ ! -s refused.out ] || fail "status $got: $(cat refused.err)"
}
refused_turn '{"prompt": "red"}' "has no list of messages"
refused_turn '{"messages": []}' "has no list of messages"
refused_turn "{\"messages\": [$user, {\"role\": \"bird\", \"content\": \"a\"}]}" 'message 2: has the role "bird"'
refused_turn "{\"messages\": [{\"role\": \"user\", \"content\": \"$(printf 'ed %.0s' {1..200})\"}]}" "the conversation is"
