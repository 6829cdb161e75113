/* gridgpt generate: text from a checkpoint, streamed as it comes, for one prompt or many. */
#include "jobs/command/commands.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "io/base/file.h"
#include "jobs/command/job.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/use/conversation.h"
#include "jobs/use/loaded_model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct values {
    char *prompt, *prompts, *grid;
    struct gg_text_list stop;
    int64_t tokens, top_k, seed, threads;
    double temperature, top_p, min_p, repetition_penalty;
    int precision; /* enum gg_precision_option */
    bool chat, ids, json, stats;
};

#define AT(member) offsetof(struct values, member)
static const struct gg_option options[] = {
    {"prompt", GG_OPTION_TEXT, AT(prompt), 0, 0, NULL, NULL, "TEXT",
     "text to go on from; - reads standard input", 0},
    {"prompts", GG_OPTION_TEXT, AT(prompts), 0, 0, NULL, NULL, "FILE",
     "many, in JSONL: a line is {\"prompt\": TEXT} or a string; - reads standard input", 0},
    {"chat", GG_OPTION_FLAG, AT(chat), 0, 0, NULL, NULL, NULL,
     "answer a user's turn, or the lines at a terminal; in --prompts a line is {\"messages\": [...]}", 0},
    {"ids", GG_OPTION_FLAG, AT(ids), 0, 0, NULL, NULL, NULL,
     "the prompt is token ids, and token ids are written: for a checkpoint without a tokenizer", 0},
    {"tokens", GG_OPTION_INTEGER, AT(tokens), 1, 1e9, "200", NULL, "N", "tokens to generate at most", 0},
    {"stop", GG_OPTION_LIST, AT(stop), 0, 0, NULL, NULL, "TEXT",
     "end before this text; may be given again; [A, B] is a list", 0},
    {"temperature", GG_OPTION_REAL, AT(temperature), 0, 100, "0.8", NULL, "X",
     "below 1 more predictable, 0 always the likeliest", 0},
    {"top-k", GG_OPTION_INTEGER, AT(top_k), 0, 1e9, "0", NULL, "K",
     "draw from the K likeliest tokens; 0: all", 0},
    {"top-p", GG_OPTION_REAL, AT(top_p), 0, 1, "1", NULL, "X",
     "draw from the likeliest that reach this probability", 0},
    {"min-p", GG_OPTION_REAL, AT(min_p), 0, 1, "0", NULL, "X",
     "draw from those at least so probable, relative to the likeliest", 0},
    {"repetition-penalty", GG_OPTION_REAL, AT(repetition_penalty), 0.01, 100, "1", NULL, "X",
     "above 1: less of the tokens that prompt and text have already", 0},
    {"seed", GG_OPTION_INTEGER, AT(seed), -1, 9e15, "-1", NULL, "N",
     "seed; the same gives the same text; -1: any", 0},
    {"threads", GG_OPTION_INTEGER, AT(threads), 0, 4096, "0", NULL, "N",
     "threads; 0: OMP_NUM_THREADS, else 1", 0},
    {"grid", GG_OPTION_TEXT, AT(grid), 0, 0, NULL, NULL, "PxQ",
     "ranks of the model; unset: one row of all, Nx1", 0},
    {"precision", GG_OPTION_CHOICE, AT(precision), 0, 0, "checkpoint", gg_precision_option_names, NULL,
     "arithmetic; checkpoint: its run's, fp32 where the processor has no bf16", 0},
    {"json", GG_OPTION_FLAG, AT(json), 0, 0, NULL, NULL, NULL,
     "a line for each prompt: prompt, text, ids, log-probabilities, why it ends", 0},
    {"stats", GG_OPTION_FLAG, AT(stats), 0, 0, NULL, NULL, NULL, "print tokens per second to standard error",
     0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

/* What is read before the model: a prompt, or the file of many. */
static gg_status read_input(const struct values *values, char **text, size_t *bytes) {
    const char *path = values->prompts, *prompt = values->prompt;
    const bool piped = prompt == NULL ? values->chat : strcmp(prompt, "-") == 0;
    if (path == NULL && !piped) {
        *text = gg_strdup(values->prompt != NULL ? values->prompt : "");
        *bytes = strlen(*text);
        return GG_OK;
    }
    const bool standard_input = path == NULL || strcmp(path, "-") == 0;
    return gg_file_read(standard_input ? "/dev/stdin" : path, (size_t)64 << 20, text, bytes);
}

/* A user's turn; the end of a last line is none of it. */
static gg_status take_turn(const char *text, size_t bytes, struct gg_prompts *prompts) {
    bytes -= bytes > 0 && text[bytes - 1] == '\n';
    if (bytes == 0)
        return gg_fail(GG_USAGE, "--chat: nothing is said; give a --prompt, or lines at a terminal");
    json_t *messages = json_array();
    gg_messages_append(messages, gg_chat_role_names[GG_CHAT_USER], text, bytes);
    gg_prompts_append_messages(prompts, messages);
    json_decref(messages);
    return GG_OK;
}

/* Rank 0's prompts on every rank. */
static gg_status share_prompts(const struct gg_world *world, const struct values *values,
                               struct gg_prompts *prompts) {
    char *text = NULL;
    size_t bytes = 0;
    GG_TRY(gg_status_of_root(world->comm, 0, world->rank == 0 ? read_input(values, &text, &bytes) : GG_OK));
    int64_t length = (int64_t)bytes;
    MPI_Bcast(&length, 1, MPI_INT64_T, 0, world->comm);
    if (world->rank != 0)
        text = gg_calloc((size_t)length + 1, 1);
    MPI_Bcast(text, gg_int(length), MPI_CHAR, 0, world->comm);
    gg_status status = GG_OK;
    if (values->prompts != NULL)
        status = gg_prompts_parse(values->prompts, text, (size_t)length, values->chat, prompts);
    else if (values->chat)
        status = take_turn(text, (size_t)length, prompts);
    else
        gg_prompts_append(prompts, text, (size_t)length, 0);
    free(text);
    return gg_agree(world->comm, status);
}

/* What the options rule out before a model is looked for. */
static gg_status check(const struct values *values) {
    if (values->prompt != NULL && values->prompts != NULL)
        return gg_fail(GG_USAGE, "--prompt and --prompts exclude each other; give one of them");
    if (values->ids && values->stop.count > 0)
        return gg_fail(GG_USAGE, "--stop looks at text, and --ids writes token ids; leave one of them out");
    if (values->ids && values->chat)
        return gg_fail(GG_USAGE,
                       "--chat writes turns in the model's template, and --ids takes token ids; leave "
                       "one of them out");
    for (size_t i = 0; i < values->stop.count; i++)
        if (values->stop.items[i][0] == '\0')
            return gg_fail(GG_USAGE, "--stop: an empty text stops everything");
    return GG_OK;
}

static gg_status open_model(const struct gg_world *world, const char *path, const struct values *values,
                            struct gg_loaded_model *model) {
    char all_ranks[32];
    snprintf(all_ranks, sizeof all_ranks, "%dx1", world->size);
    GG_TRY(gg_loaded_model_open(world, path, values->grid != NULL ? values->grid : all_ranks, world->size,
                                values->precision, model));
    if (model->replica.topology.replicas > 1)
        return gg_fail(GG_USAGE, "--grid %s leaves ranks over; one model writes one text", values->grid);
    if (model->replica.graph.config.classes_only)
        return gg_fail(GG_USAGE, "%s: its model tells classes alone, and writes no text", model->path);
    if (model->tokenizer == NULL && !values->ids)
        return gg_fail(GG_USAGE, "%s: holds no tokenizer; give a --prompt of token ids, and --ids",
                       model->path);
    if (values->chat && !model->settings.chat.turns)
        return gg_fail(GG_USAGE,
                       "%s: has learned no conversations (chat.turns is false); fine-tune it on messages or "
                       "instructions, or leave --chat out",
                       model->path);
    return GG_OK;
}

/* What ends a text: the user's --stop, and of an answer what the template has behind it, white space at its end left
 * out. The tokenizer's end of text ends a text anyhow. */
static void list_stops(const struct values *values, const struct gg_chat_template *chat,
                       struct gg_text_list *stops) {
    stops->items = gg_calloc(values->stop.count + 1, sizeof *stops->items);
    for (size_t i = 0; i < values->stop.count; i++)
        stops->items[stops->count++] = gg_strdup(values->stop.items[i]);
    const char *suffix = chat->suffix[GG_CHAT_ASSISTANT];
    if (suffix == NULL || *suffix == '\0')
        return;
    size_t bytes = strlen(suffix);
    while (bytes > 0 && strchr(" \t\r\n", suffix[bytes - 1]) != NULL)
        bytes--;
    stops->items[stops->count++] = gg_strndup(suffix, bytes > 0 ? bytes : strlen(suffix));
}

static void free_stops(struct gg_text_list *stops) {
    for (size_t i = 0; i < stops->count; i++)
        free(stops->items[i]);
    free(stops->items);
}

/* Makes a decoder and writes all texts; without prompts, holds a conversation. */
static gg_status write_texts(const struct gg_world *world, const struct values *values,
                             const struct gg_loaded_model *model, const struct gg_prompts *prompts) {
    const struct gg_replica *r = &model->replica;
    const bool many = values->prompts != NULL;
    struct gg_chat_template chat = {0};
    struct gg_text_list stops = {0};
    if (values->chat)
        gg_chat_template_make(&model->settings.chat, model->tokenizer, &chat);
    list_stops(values, &chat, &stops);
    struct gg_generation g = {
        .world = world,
        .texts = many ? GG_GENERATION_TEXTS : 1,
        .tokenizer = model->tokenizer,
        .vocab = r->graph.config.vocab,
        .ids = values->ids,
        .json = values->json,
        .tokens = values->tokens,
        .sampling = {.temperature = values->temperature,
                     .top_k = values->top_k,
                     .top_p = values->top_p,
                     .min_p = values->min_p,
                     .repetition_penalty = values->repetition_penalty,
                     .seed = (uint64_t)values->seed},
        .stops = &stops,
        .context = r->graph.config.context,
        .chat = values->chat ? &chat : NULL,
        .path = values->prompts,
    };
    gg_status status = gg_agree(world->comm, gg_decoder_create(&r->graph, &r->fabric, r->state.weights,
                                                               g.texts, &g.decoder));
    const double begin = gg_clock_seconds();
    int64_t drawn = 0;
    if (status == GG_OK)
        status =
            prompts->count > 0 ? gg_generation_run(&g, prompts, &drawn) : gg_conversation_hold(&g, &drawn);
    gg_decoder_destroy(&g.decoder);
    free_stops(&stops);
    gg_chat_template_free(&chat);
    const double seconds = gg_clock_seconds() - begin;
    if (status == GG_OK && values->stats && world->rank == 0)
        fprintf(stderr, "%lld tokens in %.2f s, %.1f tokens/s, seed %lld\n", (long long)drawn, seconds,
                (double)drawn / seconds, (long long)values->seed);
    return status;
}

static gg_status generate(const struct gg_world *world, void *options_read, const struct gg_words *words) {
    struct values *values = options_read;
    GG_TRY(check(values));
    if (values->seed < 0) {
        uint32_t bits = 0;
        if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
            bits = (uint32_t)time(NULL);
        values->seed = bits;
    }
    MPI_Bcast(&values->seed, 1, MPI_INT64_T, 0, world->comm);
    gg_job_threads(values->threads);
    struct gg_loaded_model model = {0};
    struct gg_prompts prompts = {0};
    int talks = values->chat && values->prompt == NULL && values->prompts == NULL && isatty(STDIN_FILENO);
    MPI_Bcast(&talks, 1, MPI_INT, 0, world->comm);
    gg_status status = talks ? GG_OK : share_prompts(world, values, &prompts);
    if (status == GG_OK)
        status = open_model(world, words->items[0], values, &model);
    if (status == GG_OK)
        status = write_texts(world, values, &model, &prompts);
    gg_prompts_free(&prompts);
    gg_loaded_model_close(&model);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_job_run(command, argc, argv, &values, 1, 1, generate);
}

const struct gg_command gg_command_generate = {
    .name = "generate",
    .usage = "[mpirun -n N] gridgpt generate CHECKPOINT [--prompt TEXT | --prompts FILE] [options]",
    .summary =
        "write text with a model, as it comes\n"
        "CHECKPOINT is a file, or a run folder: then its newest. Ends at <|endoftext|>, before a --stop, or\n"
        "after --tokens. The same seed gives a prompt of a list the same text whatever the others are. With\n"
        "--chat the prompt is a user's turn, and the answer alone is written; without prompts, at a terminal,\n"
        "each line is a turn that sees those before it. The checkpoint says how turns are written: chat.*.",
    .options = &table,
    .run = run,
};
