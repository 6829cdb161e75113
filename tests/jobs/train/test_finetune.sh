# gridgpt finetune: classes, completions and conversations, on any layout and over a resume; what does not go is refused.
source "$GG_SOURCE/tests/jobs/training.sh"
golden="$GG_SOURCE/tests/golden/huggingface"
"$GRIDGPT" import "$golden/gpt2" --out base.h5

# finetune RANKS NAME [key=value]...: as train.
finetune() {
    local ranks=$1 name=$2
    shift 2
    status=0
    mpirun -n "$ranks" "$GRIDGPT" finetune finetune.from=base.h5 run.dir="$name" batch.sequences=8 batch.micro=2 \
        optim.lr=3e-3 optim.warmup=2 eval.sequences=0 "$@" >"$name.log" 2>&1 || status=$?
}
awk '{
    label = NR % 3 == 0 ? "third" : NR % 2 ? "odd" : "even"; words = ""
    for (i = 1; i <= 2 + NR % 5; i++) words = words $i " "
    set = NR % 7 == 0 ? "val" : "train"
    printf "{\"text\": \"%s%s\", \"label\": \"%s\"}\n", words, label, label > ("label." set)
    printf "{\"prompt\": \"%s\", \"completion\": \" %s\", \"task\": \"first word\"}\n", words, $1 > ("prompt." set)
    printf "{\"messages\": [{\"role\": \"user\", \"content\": \"%s\"}, {\"role\": \"assistant\", \"content\": \"%s\"}]}\n", words, $1 > ("messages." set)
}' text.txt
near() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a - b < 2e-6 * a && b - a < 2e-6 * a && a > 0) }'; }

# Classes: the same losses on any layout, and where the run is stopped and gone on with; it learns most of what is easy.
labels="data.train=label.train data.val=label.val run.steps=80 optim.lr=1e-2 optim.min_lr=1e-2"
finetune 1 one $labels
expect 0 "samples: 772 of the form label" one
expect 0 'classes: 3, ["even", "odd", "third"]' one
values one val_accuracy | tail -1 | awk '{ exit !($1 > 0.85) }' || fail "accuracy $(values one val_accuracy)"
finetune 1 eight $labels run.steps=8
finetune 2 two $labels parallel.zero=1 run.steps=3
finetune 2 two $labels parallel.zero=1 run.steps=8 parallel.grid=1x2
expect 0 "resuming from two/checkpoints/step-00000003.h5" two
for key in loss val_loss; do
    paste <(values eight $key | tail -1) <(values two $key | tail -1) | while read -r a b; do near "$a" "$b"; done || fail "$key: another than on one rank"
done
"$GRIDGPT" inspect --tensors one/checkpoints/step-00000080.h5 >inspect.log
grep -q 'score.weight' inspect.log || fail "no head of classes: $(cat inspect.log)"

# Its texts alone are told to be of the same classes as side by side in validation.
"$GRIDGPT" evaluate one --task classify label.val --json >evaluate.json 2>evaluate.log
awk -v a="$(values one val_accuracy | tail -1)" -v b="$(sed 's/.*"acc": \([^,]*\),.*/\1/' evaluate.json)" 'BEGIN { exit !(a - b < 1e-6 && b - a < 1e-6) }' ||
    fail "evaluate: $(cat evaluate.json), in training: $(values one val_accuracy | tail -1)"
status=0
"$GRIDGPT" generate one --prompt the >generate.log 2>&1 || status=$?
expect 64 "tells classes alone, and writes no text" generate

# A classifier goes on as one, and becomes a language model again.
status=0
mpirun -n 1 "$GRIDGPT" finetune finetune.from=one run.dir=again batch.sequences=8 batch.micro=2 eval.sequences=0 $labels run.steps=1 >again.log 2>&1 || status=$?
grep -Eq "step 0: .*accuracy (0.8[5-9]|0.9|1.0)" again.log || fail "it does not know its classes any more: $(cat again.log)"

# A base with a head of its own, which has no place beside classes alone.
train 1 untied model.tied=false run.steps=1
status=0
mpirun -n 1 "$GRIDGPT" finetune finetune.from=untied run.dir=untied.classes batch.sequences=8 batch.micro=2 data.train=label.train run.steps=1 >untied.classes.log 2>&1 || status=$?
expect 0 "beginning with the weights of untied/checkpoints/step-00000001.h5" untied.classes

# It ends where validations get no better, and keeps the best.
finetune 1 patient $labels optim.lr=0.5 optim.min_lr=0.5 eval.every_steps=1 finetune.patience=2
expect 0 "eval.patience" patient
[ -e patient/checkpoints/best.h5 ] && [ "$(values patient val_loss | wc -l)" -lt 60 ] || fail "patience: $(cat patient.log)"

# Completions beside adapters, on a grid and on one rank.
prompts="data.train=prompt.train data.val=prompt.val run.steps=4 finetune.lora.rank=2"
finetune 1 prompts $prompts
expect 0 "samples: 772 of the form prompt" prompts
finetune 2 prompts.grid $prompts parallel.grid=1x2
near "$(values prompts loss | tail -1)" "$(values prompts.grid loss | tail -1)" || fail "grid: $(values prompts.grid loss | tail -1), one rank: $(values prompts loss | tail -1)"

# Conversations bring a template, which the export writes in Jinja.
finetune 1 talk data.train=messages.train data.val=messages.val run.steps=2 chat.user_prefix="Q: " chat.user_suffix=" " chat.assistant_prefix="A: "
expect 0 "chat.turns: true" talk
"$GRIDGPT" export talk --out talk.hf
"$GG_TEST_PYTHON" - talk.hf/tokenizer_config.json <<'P' || fail "template: $(cat talk.hf/tokenizer_config.json)"
import json, sys
template = json.load(open(sys.argv[1]))["chat_template"]
assert "{{ 'Q: ' + message['content'] + ' ' }}" in template and "add_generation_prompt" in template
P
"$GRIDGPT" import talk.hf --out talk.h5
"$GRIDGPT" export talk.h5 --out again.hf
cmp talk.hf/tokenizer_config.json again.hf/tokenizer_config.json || fail "an imported template is not exported as it came"

# Refusals, before anything is computed.
echo '{"text": "a", "label": "fourth"}' >fourth.val
finetune 1 wrong data.train=label.train data.val=fourth.val
expect 65 'data.val: fourth.val: line 1: has the label "fourth", which is none of the model'"'"'s 3 classes' wrong
finetune 1 wrong data.train=label.train data.val=prompt.val
expect 65 "prompt.val: line 1: is of the form prompt, and the samples are of the form label" wrong
printf '{"text": "a", "label": "b"}\n{"text": "a", "label": "c"\n' >broken.train
finetune 1 wrong data.train=broken.train
expect 65 "broken.train: line 2: is not JSON" wrong
finetune 2 wrong data.train=prompt.train model.width=48
expect 64 "model.width 48 (there 24)" wrong
head -c 9000 text.txt | tr -d '\n' | awk '{ printf "{\"text\": \"%s\"}\n", $0 }' >long.train
finetune 2 wrong data.train=long.train finetune.too_long=refuse
expect 65 "finetune.too_long=truncate cuts such samples" wrong
train 1 wrong finetune.from=base.h5 data.train=label.train model.heads=3 model.width=24
expect 64 "'gridgpt finetune' trains on samples" wrong
status=0
"$GRIDGPT" finetune run.dir=wrong data.train=label.train >wrong.log 2>&1 || status=$?
expect 64 "finetune.from is not set" wrong
[ ! -e wrong ] || fail "refused, and left a run folder behind"
