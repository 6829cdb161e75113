/* gridgpt prepare: text into token shards. */
#include "io/corpus/prepare.h"

#include "core/base/memory.h"
#include "io/base/hdf5_error.h"
#include "io/corpus/ids_prepare.h"
#include "io/shards/shard_format.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/command/commands.h"
#include "jobs/command/job.h"
#include "jobs/launch/progress.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

struct values {
    char *tokenizer, *out;
    double val;
    int64_t seed;
    int format; /* enum gg_document_form */
    char *separator, *field;
    int invalid; /* 0: refuse, 1: replace */
    bool no_nfc, keep_controls, keep_duplicates;
    bool mask_pii, near_duplicates;
    double near_threshold;
    int64_t near_words, near_bands, near_rows;
    int64_t level, shard_tokens;
    bool overwrite;
    int ids; /* enum gg_ids_form */
    int64_t vocab, end_id;
};

static const char *const formats[] = {"auto", "text", "jsonl", NULL};
static const char *const ids_forms[] = {"no", "jsonl", "uint16", "uint32", NULL};
static const char *const invalids[] = {"refuse", "replace", NULL};

enum { NEAR_MOST = 256 }; /* bands, rows */

#define AT(field) offsetof(struct values, field)
static const struct gg_option options[] = {
    {"tokenizer", GG_OPTION_TEXT, AT(tokenizer), 0, 0, NULL, NULL, "PATH",
     "tokenizer.json, a folder with one, or a .tiktoken file", 0},
    {"out", GG_OPTION_TEXT, AT(out), 0, 0, NULL, NULL, "DIR",
     "folder for train-00000.h5 ..., val-00000.h5 ... and tokenizer.json", 0},
    {"val", GG_OPTION_REAL, AT(val), 0, 0.9, "0.01", NULL, "X",
     "fraction of the documents held out for validation", 0},
    {"seed", GG_OPTION_INTEGER, AT(seed), 0, 9e15, "1", NULL, "N", "of the choice of validation documents",
     0},
    {"format", GG_OPTION_CHOICE, AT(format), 0, 0, "auto", formats, "FORMAT",
     "of the input; auto: JSONL if named so, else plain text", 0},
    {"separator", GG_OPTION_TEXT, AT(separator), 0, 0, NULL, NULL, "LINE",
     "plain text: lines equal to this one stand between documents", 0},
    {"field", GG_OPTION_TEXT, AT(field), 0, 0, NULL, NULL, "NAME",
     "JSONL: the member that holds the text [text], or the ids [ids]", 0},
    {"invalid", GG_OPTION_CHOICE, AT(invalid), 0, 0, "refuse", invalids, "HOW",
     "bytes that are not UTF-8: refuse the file, or replace them by U+FFFD", 0},
    {"no-nfc", GG_OPTION_FLAG, AT(no_nfc), 0, 0, NULL, NULL, NULL,
     "leave characters as they are, do not bring them to Unicode's Normal Form C", 0},
    {"keep-controls", GG_OPTION_FLAG, AT(keep_controls), 0, 0, NULL, NULL, NULL,
     "keep control characters and CR LF (default: tab and line feed stay, CR LF becomes LF)", 0},
    {"keep-duplicates", GG_OPTION_FLAG, AT(keep_duplicates), 0, 0, NULL, NULL, NULL,
     "keep documents whose cleaned text was there before", 0},
    {"mask-pii", GG_OPTION_FLAG, AT(mask_pii), 0, 0, NULL, NULL, NULL,
     "put <EMAIL>, <PHONE>, <CARD> and <IP> for e-mail addresses, phone and card numbers and IP addresses",
     0},
    {"near-duplicates", GG_OPTION_FLAG, AT(near_duplicates), 0, 0, NULL, NULL, NULL,
     "drop documents that resemble one before (MinHash), and list them in DIR/" GG_NEAR_LIST_NAME, 0},
    {"near-threshold", GG_OPTION_REAL, AT(near_threshold), 0, 1, "0.8", NULL, "X",
     "resemblance from which a document is dropped: |A and B| / |A or B| of the runs of words, estimated", 0},
    {"near-words", GG_OPTION_INTEGER, AT(near_words), 1, GG_MINHASH_MOST_WORDS, "5", NULL, "N",
     "words of a run", 0},
    {"near-bands", GG_OPTION_INTEGER, AT(near_bands), 1, NEAR_MOST, "20", NULL, "N",
     "bands of the signature; documents that agree in a whole one are compared", 0},
    {"near-rows", GG_OPTION_INTEGER, AT(near_rows), 1, NEAR_MOST, "6", NULL, "N", "values of a band", 0},
    {"level", GG_OPTION_INTEGER, AT(level), 1, 19, "3", NULL, "N", "zstd's compression level", 0},
    {"shard-tokens", GG_OPTION_INTEGER, AT(shard_tokens), 1, 4e9, "134217728", NULL, "N",
     "a shard ends when it holds so many tokens, but never within a JSONL document or 4 MB of plain text", 0},
    {"ids", GG_OPTION_CHOICE, AT(ids), 0, 0, "no", ids_forms, "FORM",
     "the input is no text but ids that another program made: a list of them a line, or raw little-endian",
     0},
    {"vocab", GG_OPTION_INTEGER, AT(vocab), 0, GG_SHARD_MAX_VOCAB, "0", NULL, "N",
     "ids: how many there are in that program's vocabulary", 0},
    {"end-id", GG_OPTION_INTEGER, AT(end_id), -1, GG_SHARD_MAX_VOCAB - 1, "-1", NULL, "N",
     "ids: the one that ends a document; -1: none", 0},
    {"overwrite", GG_OPTION_FLAG, AT(overwrite), 0, 0, NULL, NULL, NULL,
     "replace the shards that are in the folder", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

static void show_progress(void *context, int64_t done, int64_t total) {
    struct gg_progress *progress = context;
    progress->total = total;
    gg_progress_update(progress, done, NULL);
}

static void show_warning(void *context, const char *message) {
    char *line = gg_format("gridgpt prepare: warning: %s", message);
    gg_progress_note(context, line);
    free(line);
}

static void print_part(const char *name, const struct gg_corpus_counts *counts, int part, bool text) {
    printf("%-11s %" PRId64 " documents, %" PRId64 " tokens", name, counts->documents[part],
           counts->tokens[part]);
    if (text)
        printf(", %" PRId64 " bytes of text", counts->text_bytes[part]);
    printf(", %" PRId64 " shard%s\n", counts->shards[part], counts->shards[part] == 1 ? "" : "s");
}

static void print_summary(const struct values *v, const struct gg_corpus_counts *counts, int64_t input_bytes,
                          double seconds) {
    const int64_t tokens = counts->tokens[0] + counts->tokens[1];
    print_part("training", counts, 0, v->ids == GG_IDS_NONE);
    print_part("validation", counts, 1, v->ids == GG_IDS_NONE);
    printf("duplicates  %" PRId64 " documents dropped\n", counts->duplicates);
    if (v->near_duplicates)
        printf("near        %" PRId64 " documents dropped, listed in %s/%s\n", counts->near_duplicates,
               v->out, GG_NEAR_LIST_NAME);
    if (v->mask_pii)
        printf("masked      %" PRId64 " e-mail addresses, %" PRId64 " phone numbers, %" PRId64
               " card numbers, %" PRId64 " IP addresses\n",
               counts->masked[GG_PII_EMAIL], counts->masked[GG_PII_PHONE], counts->masked[GG_PII_CARD],
               counts->masked[GG_PII_IP]);
    if (v->ids == GG_IDS_NONE)
        printf("tokenizer   %.3f bytes per token\n",
               (double)(counts->text_bytes[0] + counts->text_bytes[1]) / (double)tokens);
    printf("speed       %.1f MB/s, %.1f MB in %.1f s\n", 1e-6 * (double)input_bytes / seconds,
           1e-6 * (double)input_bytes, seconds);
    printf("written to  %s\n", v->out);
    if (v->val > 0 && counts->tokens[1] == 0)
        fprintf(stderr, "gridgpt prepare: warning: no validation text; raise --val or give more text\n");
}

/* How a preparation went, whatever of. */
static gg_status end(const struct gg_world *world, const struct values *v, struct gg_progress *progress,
                     const struct gg_corpus_counts *counts, int64_t input_bytes, gg_status status) {
    if (world->rank == 0) {
        gg_progress_end(progress, status == GG_OK ? NULL : "stopped");
        if (status == GG_OK)
            print_summary(v, counts, input_bytes, gg_progress_seconds(progress));
    }
    return status;
}

static gg_status prepare_ids(const struct gg_world *world, const struct values *v,
                             const struct gg_text_list *inputs) {
    struct gg_progress progress = {.label = "prepare", .unit = GG_PROGRESS_BYTES};
    gg_progress_begin(&progress);
    const struct gg_ids_prepare_spec spec = {
        .folder = v->out,
        .inputs = *inputs,
        .format = {(enum gg_ids_form)v->ids, v->field != NULL ? v->field : "ids", v->vocab, v->end_id},
        .validation = v->val,
        .seed = (uint64_t)v->seed,
        .shard_tokens = v->shard_tokens,
        .level = (int)v->level,
        .keep_duplicates = v->keep_duplicates,
        .overwrite = v->overwrite,
        .progress = show_progress,
        .context = &progress,
    };
    struct gg_corpus_counts counts;
    int64_t input_bytes = 0;
    const gg_status status = gg_ids_prepare(world, &spec, &counts, &input_bytes);
    return end(world, v, &progress, &counts, input_bytes, status);
}

static gg_status prepare(const struct gg_world *world, const gg_tokenizer *tokenizer, const struct values *v,
                         const struct gg_text_list *inputs) {
    struct gg_progress progress = {.label = "prepare", .unit = GG_PROGRESS_BYTES};
    gg_progress_begin(&progress);
    const struct gg_prepare_spec spec = {
        .tokenizer = tokenizer,
        .folder = v->out,
        .inputs = *inputs,
        .format = {(enum gg_document_form)v->format, v->separator, v->field != NULL ? v->field : "text"},
        .rules = {.replace_invalid = v->invalid == 1, .keep_controls = v->keep_controls, .nfc = !v->no_nfc},
        .validation = v->val,
        .seed = (uint64_t)v->seed,
        .shard_tokens = v->shard_tokens,
        .level = (int)v->level,
        .keep_duplicates = v->keep_duplicates,
        .overwrite = v->overwrite,
        .mask_pii = v->mask_pii,
        .near = {(int)v->near_words, v->near_duplicates ? (int)v->near_bands : 0, (int)v->near_rows,
                 v->near_threshold},
        .progress = show_progress,
        .warn = show_warning,
        .context = &progress,
    };
    struct gg_corpus_counts counts;
    int64_t input_bytes = 0;
    const gg_status status = gg_prepare(world, &spec, &counts, &input_bytes);
    return end(world, v, &progress, &counts, input_bytes, status);
}

/* What goes with ids, and what with text alone. */
static gg_status check_ids(const struct values *v) {
    const struct {
        bool given;
        const char *name;
    } of_text[] = {{v->tokenizer != NULL, "tokenizer"},
                   {v->format != GG_DOCUMENTS_AUTO, "format"},
                   {v->separator != NULL, "separator"},
                   {v->invalid != 0, "invalid"},
                   {v->no_nfc, "no-nfc"},
                   {v->keep_controls, "keep-controls"},
                   {v->mask_pii, "mask-pii"},
                   {v->near_duplicates, "near-duplicates"}};
    for (size_t i = 0; i < sizeof of_text / sizeof *of_text; i++)
        if (of_text[i].given)
            return gg_fail(GG_USAGE, "--%s is for text; with --ids it says nothing", of_text[i].name);
    if (v->vocab == 0)
        return gg_fail(GG_USAGE, "--vocab is missing: --ids wants to know how many ids there are");
    if (v->end_id >= v->vocab)
        return gg_fail(GG_USAGE, "--end-id %" PRId64 " is not below --vocab %" PRId64, v->end_id, v->vocab);
    return GG_OK;
}

static gg_status check(const struct values *v) {
    if (v->out == NULL || (v->tokenizer == NULL && v->ids == GG_IDS_NONE))
        return gg_fail(GG_USAGE, "--%s is missing; 'gridgpt prepare --help' tells more",
                       v->out == NULL && (v->tokenizer != NULL || v->ids != GG_IDS_NONE) ? "out"
                                                                                         : "tokenizer");
    if (v->ids != GG_IDS_NONE)
        return check_ids(v);
    if (v->vocab > 0 || v->end_id >= 0)
        return gg_fail(GG_USAGE, "--%s is for --ids alone; a tokenizer has its own",
                       v->vocab > 0 ? "vocab" : "end-id");
    if (v->near_duplicates && v->keep_duplicates)
        return gg_fail(GG_USAGE, "--near-duplicates drops what --keep-duplicates keeps: give one of them");
    if (v->near_bands * v->near_rows > GG_MINHASH_MOST_HASHES)
        return gg_fail(GG_USAGE,
                       "--near-bands x --near-rows is %" PRId64 ": at most %d values make a signature",
                       v->near_bands * v->near_rows, GG_MINHASH_MOST_HASHES);
    return GG_OK;
}

static gg_status work(const struct gg_world *world, void *values, const struct gg_words *words) {
    const struct values *v = values;
    GG_TRY(check(v));
    char standard[] = "-", *only[] = {standard};
    const struct gg_text_list inputs = {words->count > 0 ? words->items : only,
                                        words->count > 0 ? (size_t)words->count : 1};
    if (v->ids != GG_IDS_NONE)
        return prepare_ids(world, v, &inputs);
    gg_tokenizer *tokenizer = NULL;
    gg_status status = gg_agree(world->comm, gg_tokenizer_load(v->tokenizer, &tokenizer));
    if (status == GG_OK)
        status = prepare(world, tokenizer, v, &inputs);
    gg_tokenizer_destroy(&tokenizer);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    gg_hdf5_start();
    return gg_job_run(command, argc, argv, &values, 0, INT_MAX, work);
}

const struct gg_command gg_command_prepare = {
    .name = "prepare",
    .usage = "[mpirun -n N] gridgpt prepare --tokenizer TOKENIZER --out DIR [options] TEXT...\n"
             "       [mpirun -n N] gridgpt prepare --ids FORM --vocab N --out DIR [options] FILE...",
    .summary = "turns text, or ids of another program, into token shards\n"
               "TEXT: files of plain text (one document each, or split at --separator) or JSONL, also\n"
               "compressed with gzip or zstd; - or none is standard input. The shards are the same for any\n"
               "number of ranks.",
    .options = &table,
    .run = run,
    .more_help =
        "Ids: jsonl is a document a line, [1, 2, 3] or {\"ids\": [1, 2, 3]}; uint16 and uint32 are little-endian and\n"
        "nothing else, a document each file, or as many as --end-id ends. Each document ends with --end-id in the\n"
        "shards. Training on them wants no tokenizer; such a model generates and scores ids.\n"
        "Validation: where --val of the number of documents is less than half a document, the last --val of\n"
        "each document's text; else whole documents, chosen by --seed.\n"
        "Duplicates: the first is kept; documents above 60 MiB are not looked for.\n"
        "Near duplicates: documents are compared by the runs of 5 words that they have in common (words without\n"
        "case and punctuation; an ideograph is a word). Of two that resemble each other with s >= --near-threshold\n"
        "the later one is dropped; those that were dropped are not compared with. A pair is looked at with the\n"
        "probability 1 - (1 - s^rows)^bands: one half near (1 / bands)^(1 / rows), with 20 bands of 6 rows near\n"
        "0.6, and 0.998 at 0.8. s is estimated by bands x rows values: at 0.8 by 120 to a standard deviation of\n"
        "0.037. Rank 0 takes about 1 KB of memory for each document that stays.\n"
        "Masking comes before duplicates are looked for. What is and what is not masked (version numbers, dates,\n"
        "ISBNs) stands in core/text/pii.h; placeholders are counted in the documents that stay.\n",
};
