"""Multinomial naive Bayes over words: what a bag of words tells of a text's class.

usage: naive_bayes.py TRAIN.jsonl TEST.jsonl, of lines {"text": TEXT, "label": LABEL}

Prints the accuracy and the macro-averaged F1 on TEST, and the accuracy of always saying the commonest class.
P(class | text) ~ P(class) prod P(word | class), with one added to every count (McCallum and Nigam 1998).
"""
import collections
import json
import math
import re
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return [(re.findall(r"[a-z']+", line["text"].lower()), line["label"]) for line in map(json.loads, file)]


def learn(samples):
    texts, words = collections.Counter(), collections.defaultdict(collections.Counter)
    for text, label in samples:
        texts[label] += 1
        words[label].update(text)
    vocabulary = set().union(*words.values())
    log_prior = {label: math.log(count / len(samples)) for label, count in texts.items()}
    log_word = {}
    for label, counts in words.items():
        total = sum(counts.values()) + len(vocabulary)
        log_word[label] = {word: math.log((counts[word] + 1) / total) for word in vocabulary}
    return log_prior, log_word


def tell(model, text):
    log_prior, log_word = model
    score = lambda label: log_prior[label] + sum(log_word[label].get(word, 0) for word in text)
    return max(sorted(log_prior), key=score)


def macro_f1(pairs):
    scores = []
    for label in {label for pair in pairs for label in pair}:
        hits = sum(1 for told, true in pairs if told == true == label)
        either = sum((told == label) + (true == label) for told, true in pairs)
        scores.append(2 * hits / either)
    return sum(scores) / len(scores)


train, test = read(sys.argv[1]), read(sys.argv[2])
model = learn(train)
pairs = [(tell(model, text), label) for text, label in test]
commonest = collections.Counter(label for _, label in train).most_common(1)[0][0]
accuracy = lambda pairs: sum(told == true for told, true in pairs) / len(pairs)
print(f"commonest class  accuracy {accuracy([(commonest, label) for _, label in test]):.4f} ({commonest})")
print(f"naive Bayes      accuracy {accuracy(pairs):.4f}  macro-F1 {macro_f1(pairs):.4f}")
