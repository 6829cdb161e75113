/* gridgpt generate: text from a checkpoint, streamed as it comes. */
#include "jobs/command/commands.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/model/decoder.h"
#include "io/base/file.h"
#include "jobs/command/job.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/use/loaded_model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct values {
    char *prompt, *grid;
    int64_t tokens, top_k, seed, threads;
    double temperature, top_p;
    int precision; /* enum gg_precision_option */
    bool ids, stats;
};

#define AT(member) offsetof(struct values, member)
static const struct gg_option options[] = {
    {"prompt", GG_OPTION_TEXT, AT(prompt), 0, 0, NULL, NULL, "TEXT",
     "text to go on from; - reads standard input", 0},
    {"ids", GG_OPTION_FLAG, AT(ids), 0, 0, NULL, NULL, NULL,
     "the prompt is token ids, and token ids are written: for a checkpoint without a tokenizer", 0},
    {"tokens", GG_OPTION_INTEGER, AT(tokens), 1, 1e9, "200", NULL, "N", "tokens to generate at most", 0},
    {"temperature", GG_OPTION_REAL, AT(temperature), 0, 100, "0.8", NULL, "X",
     "below 1 more predictable, 0 always the likeliest", 0},
    {"top-k", GG_OPTION_INTEGER, AT(top_k), 0, 1e9, "0", NULL, "K",
     "draw from the K likeliest tokens; 0: all", 0},
    {"top-p", GG_OPTION_REAL, AT(top_p), 0, 1, "1", NULL, "X",
     "draw from the likeliest that reach this probability", 0},
    {"seed", GG_OPTION_INTEGER, AT(seed), -1, 9e15, "-1", NULL, "N",
     "seed; the same gives the same text; -1: any", 0},
    {"threads", GG_OPTION_INTEGER, AT(threads), 0, 4096, "0", NULL, "N",
     "threads; 0: OMP_NUM_THREADS, else 1", 0},
    {"grid", GG_OPTION_TEXT, AT(grid), 0, 0, NULL, NULL, "PxQ",
     "ranks of the model; unset: one row of all, Nx1", 0},
    {"precision", GG_OPTION_CHOICE, AT(precision), 0, 0, "checkpoint", gg_precision_option_names, NULL,
     "arithmetic; checkpoint: its run's, fp32 where the processor has no bf16", 0},
    {"stats", GG_OPTION_FLAG, AT(stats), 0, 0, NULL, NULL, NULL, "print tokens per second to standard error",
     0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

/* What a text is written for. */
struct writing {
    const struct gg_world *world;
    const struct values *values;
    const gg_tokenizer *tokenizer; /* NULL: none */
    int64_t vocab;                 /* ids of the model */
};

/* The ids that a prompt tells, with anything but digits between them. */
static gg_status read_ids(const struct writing *w, const char *prompt, struct gg_ids *ids) {
    static const char digits[] = "0123456789";
    for (const char *at = strpbrk(prompt, digits); at != NULL;) {
        char *end;
        const unsigned long id = strtoul(at, &end, 10);
        if (id >= (unsigned long)w->vocab)
            return gg_fail(GG_USAGE, "--prompt: the model has ids up to %lld, and not %.*s",
                           (long long)w->vocab - 1, (int)(end - at), at);
        GG_TRY(gg_ids_reserve(ids, 1));
        ids->items[ids->count++] = (uint32_t)id;
        at = strpbrk(end, digits);
    }
    if (ids->count == 0 && w->tokenizer == NULL)
        return gg_fail(GG_USAGE, "--prompt: token ids are wanted to go on from, \"12 34 56\" for example");
    return GG_OK;
}

/* The prompt's ids; an empty prompt begins a document. */
static gg_status encode_prompt(const struct writing *w, const char *prompt, size_t bytes,
                               struct gg_ids *ids) {
    gg_encoder *encoder = NULL;
    gg_status status = w->values->ids ? read_ids(w, prompt, ids) : gg_encoder_create(w->tokenizer, &encoder);
    if (status == GG_OK && encoder != NULL)
        status = gg_encode(encoder, prompt, bytes, false, ids);
    gg_encoder_destroy(&encoder);
    if (status == GG_OK && ids->count == 0) {
        status = gg_ids_reserve(ids, 1);
        if (status == GG_OK)
            ids->items[ids->count++] = gg_tokenizer_end_of_text(w->tokenizer);
    }
    return status;
}

/* Writes on rank 0; false when the reader is gone. */
static bool emit(const struct gg_world *world, const char *bytes, size_t length) {
    return world->rank != 0 || (fwrite(bytes, 1, length, stdout) == length && fflush(stdout) == 0);
}

/* Writes a token: its text, or its id behind a blank. */
static bool emit_token(const struct writing *w, uint32_t token) {
    char text[16];
    size_t length = (size_t)snprintf(text, sizeof text, " %u", (unsigned)token);
    const char *bytes = w->values->ids ? text : gg_token_bytes(w->tokenizer, token, &length);
    return emit(w->world, bytes, length);
}

/* Writes the prompt and what the model makes of it, token by token. Every rank draws the same tokens. */
static gg_status stream_text(const struct writing *w, gg_decoder *decoder, const char *prompt,
                             size_t prompt_bytes) {
    const struct gg_world *world = w->world;
    const struct values *values = w->values;
    struct gg_ids ids = {0};
    const gg_status encoded = encode_prompt(w, prompt, prompt_bytes, &ids);
    if (encoded != GG_OK) {
        gg_ids_free(&ids);
        return encoded;
    }
    const struct gg_sampling sampling = {values->temperature, values->top_k, values->top_p,
                                         (uint64_t)values->seed};
    const double begin = gg_clock_seconds();
    bool good = emit(world, prompt, prompt_bytes);
    /* Ids are below 2^31. */
    gg_decoder_feed(decoder, (const int32_t *)ids.items, (int64_t)ids.count);
    int64_t drawn = 0;
    while (drawn < values->tokens) {
        const uint32_t token = gg_decoder_sample(decoder, &sampling);
        drawn++;
        if (w->tokenizer != NULL && token == gg_tokenizer_end_of_text(w->tokenizer))
            break;
        good = good && emit_token(w, token);
        /* One rank sees the reader leave, all must stop: a look at every token costs little beside the
         * model. */
        MPI_Bcast(&good, 1, MPI_C_BOOL, 0, world->comm);
        if (!good)
            break;
        gg_decoder_feed(decoder, &(int32_t){(int32_t)token}, 1);
    }
    good = good && emit(world, "\n", 1);
    MPI_Bcast(&good, 1, MPI_C_BOOL, 0, world->comm);
    gg_ids_free(&ids);
    if (!good)
        return gg_fail(GG_STORAGE, "standard output cannot be written");
    const double seconds = gg_clock_seconds() - begin;
    if (values->stats && world->rank == 0)
        fprintf(stderr, "%lld tokens in %.2f s, %.1f tokens/s, seed %lld\n", (long long)drawn, seconds,
                (double)drawn / seconds, (long long)values->seed);
    return GG_OK;
}

static gg_status read_prompt(const struct values *values, char **prompt, size_t *bytes) {
    if (values->prompt == NULL || strcmp(values->prompt, "-") != 0) {
        *prompt = gg_strdup(values->prompt != NULL ? values->prompt : "");
        *bytes = strlen(*prompt);
        return GG_OK;
    }
    return gg_file_read("/dev/stdin", (size_t)64 << 20, prompt, bytes);
}

/* Rank 0's prompt on every rank. */
static gg_status share_prompt(const struct gg_world *world, const struct values *values, char **prompt,
                              size_t *bytes) {
    GG_TRY(gg_agree(world->comm, world->rank == 0 ? read_prompt(values, prompt, bytes) : GG_OK));
    int64_t length = (int64_t)*bytes;
    MPI_Bcast(&length, 1, MPI_INT64_T, 0, world->comm);
    if (world->rank != 0)
        *prompt = gg_calloc((size_t)length + 1, 1);
    *bytes = (size_t)length;
    MPI_Bcast(*prompt, gg_int(length), MPI_CHAR, 0, world->comm);
    return GG_OK;
}

static gg_status generate(const struct gg_world *world, void *options_read, const struct gg_words *words) {
    struct values *values = options_read;
    char all_ranks[32];
    snprintf(all_ranks, sizeof all_ranks, "%dx1", world->size);
    if (values->seed < 0) {
        uint32_t bits = 0;
        if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
            bits = (uint32_t)time(NULL);
        values->seed = bits;
    }
    MPI_Bcast(&values->seed, 1, MPI_INT64_T, 0, world->comm);
    gg_job_threads(values->threads);
    struct gg_loaded_model model;
    gg_decoder *decoder = NULL;
    char *prompt = NULL;
    size_t bytes = 0;
    gg_status status =
        gg_loaded_model_open(world, words->items[0], values->grid != NULL ? values->grid : all_ranks,
                             world->size, values->precision, &model);
    if (status == GG_OK && model.replica.topology.replicas > 1)
        status = gg_fail(GG_USAGE, "--grid %s leaves ranks over; one model writes one text", values->grid);
    if (status == GG_OK && model.tokenizer == NULL && !values->ids)
        status =
            gg_fail(GG_USAGE, "%s: holds no tokenizer; give a --prompt of token ids, and --ids", model.path);
    if (status == GG_OK)
        status = share_prompt(world, values, &prompt, &bytes);
    if (status == GG_OK)
        status = gg_agree(world->comm, gg_decoder_create(&model.replica.graph, &model.replica.fabric,
                                                         model.replica.state.weights, &decoder));
    if (status == GG_OK)
        status =
            stream_text(&(struct writing){world, values, model.tokenizer, model.replica.graph.config.vocab},
                        decoder, prompt, bytes);
    free(prompt);
    gg_decoder_destroy(&decoder);
    gg_loaded_model_close(&model);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_job_run(command, argc, argv, &values, 1, 1, generate);
}

const struct gg_command gg_command_generate = {
    .name = "generate",
    .usage = "[mpirun -n N] gridgpt generate CHECKPOINT [--prompt TEXT] [options]",
    .summary =
        "write text with a model, as it comes\n"
        "CHECKPOINT is a file, or a run folder: then its newest. Ends at <|endoftext|> or after --tokens.",
    .options = &table,
    .run = run,
};
