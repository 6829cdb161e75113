/* gridgpt tokenizer train: learns merges from text. */
#include "core/base/clock.h"
#include "core/text/bpe_training.h"
#include "io/corpus/text_window.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/corpus/tokenizer_commands.h"

#include <stdlib.h>

struct values {
    int64_t vocab;
    char *out;
};

static const struct gg_option options[] = {
    {"vocab", GG_OPTION_INTEGER, offsetof(struct values, vocab), GG_VOCABULARY_MIN, GG_VOCABULARY_MAX, "8192",
     NULL, "N", "entries: 256 bytes, merges, and " GG_END_OF_TEXT, 0},
    {"out", GG_OPTION_TEXT, offsetof(struct values, out), 0, 0, NULL, NULL, "TOKENIZER",
     "the tokenizer.json to write (wanted)", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

static gg_status count_file(const char *path, struct gg_word_counts *counts, uint64_t *text_bytes) {
    struct gg_text_window window;
    GG_TRY(gg_text_window_open(&window, path, GG_TEXT_BLOCK_BYTES, true));
    size_t consumed = 0;
    gg_status status;
    do {
        status = gg_text_window_next(&window, consumed);
        if (status != GG_OK)
            break;
        status = gg_word_counts_add(counts, window.text, window.bytes, window.last, &consumed);
        if (status != GG_OK)
            status = gg_text_window_fail(&window, consumed, status);
    } while (status == GG_OK && !window.last);
    *text_bytes += window.offset + window.bytes;
    gg_text_window_close(&window);
    return status;
}

/* How many ids the training text has under the tokenizer: each different word is encoded once. */
static gg_status count_ids(const gg_tokenizer *tokenizer, const struct gg_word_counts *counts,
                           uint64_t *total) {
    gg_encoder *encoder;
    struct gg_ids ids = {0};
    GG_TRY(gg_encoder_create(tokenizer, &encoder));
    gg_status status = GG_OK;
    for (size_t i = 0; i < counts->slot_count && status == GG_OK; i++) {
        const struct gg_word_count *word = &counts->slots[i];
        ids.count = 0;
        if (word->count > 0)
            status = gg_encode(encoder, counts->bytes + word->begin, word->length, false, &ids);
        *total += ids.count * (uint64_t)word->count;
    }
    gg_ids_free(&ids);
    gg_encoder_destroy(&encoder);
    return status;
}

static gg_status train(const struct values *values, const struct gg_words *words,
                       struct gg_word_counts *counts) {
    const double start = gg_clock_seconds();
    uint64_t text_bytes = 0, id_count = 0;
    for (int i = 0; i < words->count || i == 0; i++)
        GG_TRY(count_file(words->count > 0 ? words->items[i] : "-", counts, &text_bytes));
    if (text_bytes == 0)
        return gg_fail(GG_BAD_DATA, "the text is empty: nothing to learn from");
    gg_tokenizer *tokenizer;
    GG_TRY(gg_bpe_train(counts, values->vocab, &tokenizer));
    const long long vocab = (long long)gg_tokenizer_vocab(tokenizer);
    gg_status status = gg_tokenizer_save(tokenizer, values->out);
    const double seconds = gg_clock_seconds() - start;
    if (status == GG_OK)
        status = count_ids(tokenizer, counts, &id_count);
    gg_tokenizer_destroy(&tokenizer);
    GG_TRY(status);
    if (vocab < values->vocab)
        fprintf(stderr,
                "note: no pair of tokens occurs twice any more in this text: %lld entries, not %lld\n", vocab,
                (long long)values->vocab);
    fprintf(stderr, "%s: %lld entries from %llu bytes of text in %.2f s, %.3f bytes per token on that text\n",
            values->out, vocab, (unsigned long long)text_bytes, seconds,
            (double)text_bytes / (double)id_count);
    return GG_OK;
}

static gg_status train_and_free(const struct gg_command *command, const void *options_read,
                                const struct gg_words *words) {
    const struct values *values = options_read;
    struct gg_word_counts counts = {0};
    if (values->out == NULL)
        return gg_fail(GG_USAGE, "%s: --out TOKENIZER is wanted: where to write the tokenizer",
                       command->name);
    const gg_status status = train(values, words, &counts);
    gg_word_counts_free(&counts);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_command_run(command, argc, argv, &values, train_and_free);
}

const struct gg_command gg_command_tokenizer_train = {
    .name = "tokenizer train",
    .usage = "gridgpt tokenizer train [--vocab N] --out TOKENIZER [TEXT...]",
    .summary = "learn a byte-level BPE vocabulary from text files (-, or none: standard input)",
    .options = &table,
    .run = run,
    .more_help = "Words are cut by GPT-2's pattern. Of pairs that occur equally often, the one with the "
                 "smaller left id is\n"
                 "merged first, then the one with the smaller right id: the same text gives the same "
                 "tokenizer. A pair\n"
                 "that occurs only once is not merged, so that little text may give fewer entries. Memory "
                 "grows with the\n"
                 "number of different words, not with the text. The file is a tokenizer.json of the Hugging "
                 "Face library.\n",
};
