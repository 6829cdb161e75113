/* gridgpt tokenizer encode: text to ids, a line per input. */
#include "core/base/clock.h"
#include "io/corpus/text_window.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/corpus/tokenizer_commands.h"

#include <errno.h>
#include <string.h>

struct values {
    char *tokenizer;
    bool special, stats;
};

static const struct gg_option options[] = {
    {"tokenizer", GG_OPTION_TEXT, offsetof(struct values, tokenizer), 0, 0, NULL, NULL, "TOKENIZER",
     "the tokenizer to encode with (wanted)", 0},
    {"special", GG_OPTION_FLAG, offsetof(struct values, special), 0, 0, NULL, NULL, NULL,
     "let " GG_END_OF_TEXT " and other special tokens in the text become their ids", 0},
    {"stats", GG_OPTION_FLAG, offsetof(struct values, stats), 0, 0, NULL, NULL, NULL,
     "print bytes, ids and the encoder's speed to standard error", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

struct totals {
    uint64_t bytes, ids;
    double seconds; /* in the encoder, reading and printing not counted */
};

enum { LINE_BYTES = 65536, ID_BYTES = 11 };

/* Prints ids in decimal, each but a line's first with a space before it. */
static gg_status print_ids(const struct gg_ids *ids, bool *first) {
    char line[LINE_BYTES];
    size_t length = 0;
    for (size_t i = 0; i < ids->count; i++) {
        char digits[ID_BYTES];
        int count = 0;
        for (uint32_t rest = ids->items[i]; count == 0 || rest > 0; rest /= 10)
            digits[count++] = (char)('0' + rest % 10);
        if (!*first)
            line[length++] = ' ';
        *first = false;
        while (count > 0)
            line[length++] = digits[--count];
        if (length > LINE_BYTES - ID_BYTES - 1 || i + 1 == ids->count) {
            if (fwrite(line, 1, length, stdout) != length)
                return gg_fail(GG_STORAGE, "standard output: cannot be written: %s", strerror(errno));
            length = 0;
        }
    }
    return GG_OK;
}

static gg_status encode_window(gg_encoder *encoder, struct gg_text_window *window, bool special,
                               struct gg_ids *ids, struct totals *totals) {
    size_t consumed = 0;
    bool first = true;
    do {
        GG_TRY(gg_text_window_next(window, consumed));
        const double start = gg_clock_seconds();
        ids->count = 0;
        const gg_status status =
            gg_encode_part(encoder, window->text, window->bytes, window->last, special, ids, &consumed);
        totals->seconds += gg_clock_seconds() - start;
        if (status != GG_OK)
            return gg_text_window_fail(window, consumed, status);
        totals->ids += ids->count;
        GG_TRY(print_ids(ids, &first));
    } while (!window->last);
    totals->bytes += window->offset + window->bytes;
    return GG_OK;
}

static gg_status encode_file(gg_encoder *encoder, const char *path, bool special, struct totals *totals) {
    struct gg_text_window window;
    struct gg_ids ids = {0};
    GG_TRY(gg_text_window_open(&window, path, GG_TEXT_BLOCK_BYTES, false));
    gg_status status = encode_window(encoder, &window, special, &ids, totals);
    gg_text_window_close(&window);
    gg_ids_free(&ids);
    if (status == GG_OK && putchar('\n') == EOF)
        status = gg_fail(GG_STORAGE, "standard output: cannot be written: %s", strerror(errno));
    return status;
}

static gg_status encode(const struct gg_command *command, const void *options_read,
                        const struct gg_words *words) {
    const struct values *values = options_read;
    if (values->tokenizer == NULL)
        return gg_fail(GG_USAGE, "%s: --tokenizer TOKENIZER is wanted", command->name);
    gg_tokenizer *tokenizer;
    gg_encoder *encoder = NULL;
    struct totals totals = {0};
    GG_TRY(gg_tokenizer_load(values->tokenizer, &tokenizer));
    gg_status status = gg_encoder_create(tokenizer, &encoder);
    for (int i = 0; status == GG_OK && (i < words->count || i == 0); i++)
        status = encode_file(encoder, words->count > 0 ? words->items[i] : "-", values->special, &totals);
    if (status == GG_OK && values->stats)
        fprintf(stderr, "%llu bytes, %llu ids, %.3f bytes per id, encoder %.1f MB/s on one core\n",
                (unsigned long long)totals.bytes, (unsigned long long)totals.ids,
                totals.ids > 0 ? (double)totals.bytes / (double)totals.ids : 0.0,
                totals.seconds > 0 ? 1e-6 * (double)totals.bytes / totals.seconds : 0.0);
    gg_encoder_destroy(&encoder);
    gg_tokenizer_destroy(&tokenizer);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_command_run(command, argc, argv, &values, encode);
}

const struct gg_command gg_command_tokenizer_encode = {
    .name = "tokenizer encode",
    .usage = "gridgpt tokenizer encode --tokenizer TOKENIZER [TEXT...]",
    .summary = "print the ids of text files (-, or none: standard input), space separated, a line per file",
    .options = &table,
    .run = run,
    .more_help =
        "Every byte of the text is encoded as it stands, UTF-8 or not, and decodes back to itself; a "
        "tokenizer that\n"
        "asks for Unicode's Normal Form C, as Qwen's does, encodes the text in that form. Files are read\n"
        "in blocks of 1 MiB, whatever their size; a word (a run of letters, spaces ...) longer than "
        "16 MiB is\n"
        "refused with the file's name and the byte where it begins.\n",
};
