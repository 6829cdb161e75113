/* gridgpt generate: text from a checkpoint, streamed as it comes. */
#include "jobs/commands.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/model/decoder.h"
#include "io/file.h"
#include "jobs/job.h"
#include "jobs/loaded_model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct values {
    char *prompt;
    int64_t tokens, top_k, seed, threads;
    double temperature, top_p;
    bool stats;
};

#define AT(member) offsetof(struct values, member)
static const struct gg_option options[] = {
    {"prompt", GG_OPTION_TEXT, AT(prompt), 0, 0, NULL, NULL, "TEXT",
     "text to go on from; - reads standard input"},
    {"tokens", GG_OPTION_INTEGER, AT(tokens), 1, 1e9, "200", NULL, "N", "tokens to generate at most"},
    {"temperature", GG_OPTION_REAL, AT(temperature), 0, 100, "0.8", NULL, "X",
     "below 1 more predictable, 0 always the likeliest"},
    {"top-k", GG_OPTION_INTEGER, AT(top_k), 0, 1e9, "0", NULL, "K",
     "draw from the K likeliest tokens; 0: all"},
    {"top-p", GG_OPTION_REAL, AT(top_p), 0, 1, "1", NULL, "X",
     "draw from the likeliest that reach this probability"},
    {"seed", GG_OPTION_INTEGER, AT(seed), -1, 9e15, "-1", NULL, "N",
     "seed; the same gives the same text; -1: any"},
    {"threads", GG_OPTION_INTEGER, AT(threads), 0, 4096, "0", NULL, "N",
     "threads; 0: OMP_NUM_THREADS, else 1"},
    {"stats", GG_OPTION_FLAG, AT(stats), 0, 0, NULL, NULL, NULL, "print tokens per second to standard error"},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

/* The prompt's ids; an empty prompt begins a document. */
static gg_status encode_prompt(const gg_tokenizer *tokenizer, const char *prompt, size_t bytes,
                               struct gg_ids *ids) {
    gg_encoder *encoder;
    GG_TRY(gg_encoder_create(tokenizer, &encoder));
    gg_status status = gg_encode(encoder, prompt, bytes, false, ids);
    gg_encoder_destroy(&encoder);
    if (status == GG_OK && ids->count == 0) {
        status = gg_ids_reserve(ids, 1);
        if (status == GG_OK)
            ids->items[ids->count++] = gg_tokenizer_end_of_text(tokenizer);
    }
    return status;
}

/* Writes the prompt and what the model makes of it, token by token. */
static gg_status stream_text(const struct values *values, const gg_tokenizer *tokenizer, gg_decoder *decoder,
                             const char *prompt, size_t prompt_bytes) {
    struct gg_ids ids = {0};
    GG_TRY(encode_prompt(tokenizer, prompt, prompt_bytes, &ids));
    const struct gg_sampling sampling = {values->temperature, values->top_k, values->top_p,
                                         (uint64_t)values->seed};
    const double begin = gg_clock_seconds();
    fwrite(prompt, 1, prompt_bytes, stdout);
    fflush(stdout);
    for (size_t i = 0; i < ids.count; i++) {
        const int32_t id = (int32_t)ids.items[i];
        gg_decoder_feed(decoder, &id, 1);
    }
    int64_t drawn = 0;
    while (drawn < values->tokens) {
        const uint32_t token = gg_decoder_sample(decoder, &sampling);
        drawn++;
        if (token == gg_tokenizer_end_of_text(tokenizer))
            break;
        size_t length;
        const char *bytes = gg_token_bytes(tokenizer, token, &length);
        fwrite(bytes, 1, length, stdout);
        if (fflush(stdout) != 0)
            break;
        gg_decoder_feed(decoder, &(int32_t){(int32_t)token}, 1);
    }
    fputc('\n', stdout);
    gg_ids_free(&ids);
    if (fflush(stdout) != 0 || ferror(stdout))
        return gg_fail(GG_STORAGE, "generate: standard output cannot be written");
    const double seconds = gg_clock_seconds() - begin;
    if (values->stats)
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

static gg_status generate(const struct gg_world *world, void *options_read, const struct gg_words *words) {
    struct values *values = options_read;
    if (world->size > 1)
        return gg_fail(GG_USAGE, "generate: runs on one rank, not %d", world->size);
    if (values->seed < 0) {
        uint32_t bits = 0;
        if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
            bits = (uint32_t)time(NULL);
        values->seed = bits;
    }
    gg_job_threads(values->threads);
    const struct gg_fabric fabric = gg_fabric_local();
    struct gg_loaded_model model;
    gg_decoder *decoder = NULL;
    char *prompt = NULL;
    size_t bytes = 0;
    gg_status status = gg_loaded_model_open(world->comm, &fabric, words->items[0], &model);
    if (status == GG_OK)
        status = read_prompt(values, &prompt, &bytes);
    if (status == GG_OK)
        status = gg_decoder_create(&model.config, &fabric, &model.table, model.weights, &decoder);
    if (status == GG_OK)
        status = stream_text(values, model.tokenizer, decoder, prompt, bytes);
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
    .usage = "gridgpt generate CHECKPOINT [--prompt TEXT] [options]",
    .summary =
        "write text with a model, as it comes\n"
        "CHECKPOINT is a file, or a run folder: then its newest. Ends at <|endoftext|> or after --tokens.",
    .options = &table,
    .run = run,
};
