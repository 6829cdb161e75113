#!/bin/bash
# evaluate on tasks, documents and tokens against what transformers and the rules of lm-evaluation-harness make of the same
# model (tests/golden/make_scores.py), on every kind of layout; and what is refused, and when.
set -euo pipefail
rm -rf ./*
golden="$GG_SOURCE/tests/golden/scores"
fail() { echo "FAILED: $*" >&2; exit 1; }
cp "$golden"/*.jsonl .
"$GRIDGPT" import "$golden/model" --out model.h5 2>log || fail "$(cat log)"
"$GRIDGPT" prepare --val 0 --tokenizer "$golden/model/tokenizer.json" --out data texts.jsonl >log 2>&1 || fail "$(cat log)"

# evaluate RANKS GRID NAME ARGUMENT...: its output in NAME.json.
evaluate() {
    local ranks=$1 grid=$2 name=$3
    shift 3
    mpirun -n "$ranks" "$GRIDGPT" evaluate model.h5 --grid "$grid" --json "$@" >"$name.json" 2>log || fail "$name: $(cat log)"
}
tasks="hellaswag.jsonl multiple_choice.jsonl lambada.jsonl cloze.jsonl classify.jsonl"
layouts="1-1x1 2-1x1 3-3x1 2-1x2"
for layout in $layouts; do
    evaluate ${layout%-*} ${layout#*-} tasks-$layout $tasks --template "{text} is" --classes "[others, e, to]" \
        --samples samples-$layout.jsonl
    [ $layout = 2-1x1 ] || # which reads shards, below
        evaluate ${layout%-*} ${layout#*-} texts-$layout --text texts.jsonl --stride 5 --samples documents-$layout.jsonl \
            --tokens tokens-$layout.jsonl --alternatives 4
done
evaluate 1 1x1 long --text texts.jsonl --stride 32 --html page.html --micro 3
evaluate 2 1x1 texts-2-1x1 --data "data/*.h5" --stride 5 --samples documents-2-1x1.jsonl --tokens tokens-2-1x1.jsonl \
    --alternatives 4

"$GG_TEST_PYTHON" - "$golden" $layouts <<'P' || fail "other scores"
import html.parser, json, math, re, sys
golden, layouts = sys.argv[1], sys.argv[2:]
expected = json.load(open(golden + "/expected.json"))
lines = lambda name: [json.loads(line) for line in open(name)]
worst = 0

def close(got, wanted, what):
    """Numbers to rounding, all else the same; what is not expected is not looked at."""
    global worst
    if isinstance(wanted, dict):
        for key in wanted:
            close(got[key], wanted[key], f"{what} {key}")
    elif isinstance(wanted, list):
        assert len(got) == len(wanted), (what, got, wanted)
        for i, (a, b) in enumerate(zip(got, wanted)):
            close(a, b, f"{what} {i}")
    elif isinstance(wanted, float):
        worst = max(worst, abs(got - wanted) / max(1, abs(wanted)))
        assert abs(got - wanted) <= 2e-5 * max(1, abs(wanted)), (what, got, wanted)
    else:
        assert got == wanted, (what, got, wanted)

def of_token(token):
    return {"document": token["document"], "position": token["position"], "id": token["id"], "rank": token["rank"],
            "log_probability": token["log_probability"], "ids": [a["id"] for a in token["alternatives"]],
            "log_probabilities": [a["log_probability"] for a in token["alternatives"]]}

for layout in layouts:
    tasks, samples = lines(f"tasks-{layout}.json"), lines(f"samples-{layout}.jsonl")
    assert len(tasks) == len(expected["tasks"]) == 5
    for result in tasks:
        kind = result["task"]
        close(result, expected["tasks"][kind]["result"], f"{layout} {kind}")
        of_kind = [sample for sample in samples if sample["file"] == f"{kind}.jsonl"]
        assert [sample["line"] for sample in of_kind] == list(range(1, result["samples"] + 1))
        close(of_kind, expected["tasks"][kind]["samples"], f"{layout} {kind}")
    documents = expected["documents"][0]
    close(json.load(open(f"texts-{layout}.json")), documents["result"], layout)
    close([d["loss"] for d in lines(f"documents-{layout}.jsonl")], documents["losses"], layout)
    close([of_token(t) for t in lines(f"tokens-{layout}.jsonl")], documents["tokens"], layout)
close(json.load(open("long.json")), expected["documents"][1]["result"], "stride 32")
print(f"largest difference {worst:.2g}")

# The page: one file, no script, nothing from elsewhere, all text in it, and what is no UTF-8 by its bytes.
page = open("page.html", encoding="utf-8").read()
assert not re.search(r"<script|src=|href=|url\(|@import", page)
class Reader(html.parser.HTMLParser):
    open_tags, text, words = [], "", []
    def handle_starttag(self, tag, attributes):
        if tag == "details":
            self.words.append("")
        if tag not in ("meta", "br", "tr", "td"):
            self.open_tags.append(tag)
    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag, tag
    def handle_data(self, data):
        if "summary" in self.open_tags:
            self.words[-1] += data
reader = Reader()
reader.feed(page)
assert reader.open_tags == [] and len(reader.words) == documents["result"]["tokens"]
text = "".join(reader.words)
for part in ("<|endoftext|>", "E4B8AD\u21b5<b> & \u21e5E29883"):
    assert part in text, (part, text)
assert f"{documents['result']['tokens']} tokens: loss {json.load(open('long.json'))['loss']:.4f}" in page
P

# refused STATUS TEXT ARGUMENT...: how a call ends; nothing is left behind.
refused() {
    local wanted=$1 text=$2 status=0
    shift 2
    "$GRIDGPT" evaluate "$@" >out 2>log || status=$?
    [ $status = "$wanted" ] && grep -qF -- "$text" log || fail "evaluate $*: status $status: $(cat log)"
    [ -z "$(compgen -G '*.tmp')" ] || fail "evaluate $*: leaves $(compgen -G '*.tmp')"
}
echo '{"text": "the"' >broken.jsonl
printf '{"text": "a", "label": "e"}\n\n{"text": "a", "label": "x"}\n' >label.jsonl
printf '{"text": "a b"}\n{"text": "a "}\n' >blank.jsonl
echo '{"query": "a", "choices": ["b", "c"], "gold": 2}' >gold.jsonl
printf '{"text": "a b"}\n{"text": "a %s"}\n' "$(head -c 40 /dev/zero | tr '\0' x)" >longer.jsonl
echo '{"activity_label": "a", "ctx_a": "b", "ctx_b": "c", "endings": ["d", "e"], "label": ""}' >unanswered.jsonl
# No model is looked for before the tasks are read.
refused 65 "broken.jsonl: line 1: is not JSON" nowhere.h5 broken.jsonl
echo '[1]' >list.jsonl
refused 65 "list.jsonl: line 1: is no JSON object" nowhere.h5 list.jsonl
refused 65 'lambada.jsonl: line 1: has no "activity_label"; a line of hellaswag is {"activity_label"' nowhere.h5 --task hellaswag lambada.jsonl
refused 65 'label.jsonl: line 3: its "label" x is none of the 2 classes (e, ...)' nowhere.h5 label.jsonl --classes "[e, to]"
refused 65 'blank.jsonl: line 2: its "text" ends with a space' nowhere.h5 blank.jsonl
refused 65 'gold.jsonl: line 1: its "gold" is 2, and there are 2 choices, from 0' nowhere.h5 gold.jsonl
refused 65 'unanswered.jsonl: line 1: its "label" is no number' nowhere.h5 unanswered.jsonl
refused 64 "--template: 'no' must have {text} in it" nowhere.h5 label.jsonl --template no
refused 65 "longer.jsonl: line 2: a choice of 41 tokens, and the model's context has 32" model.h5 longer.jsonl
refused 64 "--stride: 33 is more than the model's context, which is 32" model.h5 --text texts.jsonl --stride 33
refused 74 "nowhere/tokens: cannot be written" model.h5 --text texts.jsonl --tokens nowhere/tokens
refused 64 "--task excludes --data and --text" model.h5 --task lambada --text texts.jsonl
