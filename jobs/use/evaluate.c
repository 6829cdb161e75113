/* gridgpt evaluate: which of its ways is wanted, and shards as sequences one behind the other. */
#include "jobs/command/commands.h"

#include "io/shards/shard_source.h"
#include "jobs/command/job.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/use/evaluate_internal.h"
#include "jobs/use/evaluation.h"
#include "jobs/use/result_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct gg_evaluate_values, member)
static const struct gg_option options[] = {
    {"data", GG_OPTION_LIST, AT(data), 0, 0, NULL, NULL, "SHARD...", "shards to evaluate on: paths or globs",
     0},
    {"text", GG_OPTION_LIST, AT(text), 0, 0, NULL, NULL, "FILE...",
     "or texts: each file a document, or of a .jsonl each line {\"text\": TEXT}", 0},
    {"task", GG_OPTION_CHOICE, AT(task), 0, 0, "auto", gg_task_kind_names, NULL,
     "or task files, of this kind; auto: as the first line of each is", 0},
    {"template", GG_OPTION_TEXT, AT(template), 0, 0, "{text}", NULL, "TEXT",
     "of classify: what stands before the label, {text} being the sample's", 0},
    {"classes", GG_OPTION_LIST, AT(classes), 0, 0, NULL, NULL, "NAME",
     "of classify: the labels' texts, in order where they are numbers; unset: those of the file", 0},
    {"stride", GG_OPTION_INTEGER, AT(stride), 0, 1e9, "0", NULL, "N",
     "by document, in windows that go N tokens on; 0: sequences one behind the other, by document (half a "
     "context on) where --text, --samples, --tokens or --html ask for it",
     0},
    {"sequences", GG_OPTION_INTEGER, AT(sequences), 0, 9e15, "0", NULL, "N",
     "sequences, or windows, at most; 0: all", 0},
    {"micro", GG_OPTION_INTEGER, AT(micro), 1, 1e6, "4", NULL, "N", "sequences a replica takes at once", 0},
    {"threads", GG_OPTION_INTEGER, AT(threads), 0, 4096, "0", NULL, "N",
     "threads per rank; 0: OMP_NUM_THREADS, else 1", 0},
    {"grid", GG_OPTION_TEXT, AT(grid), 0, 0, "1x1", NULL, "PxQ", "ranks of one replica of the model", 0},
    {"precision", GG_OPTION_CHOICE, AT(precision), 0, 0, "checkpoint", gg_precision_option_names, NULL,
     "arithmetic; checkpoint: its run's, fp32 where the processor has no bf16", 0},
    {"json", GG_OPTION_FLAG, AT(json), 0, 0, NULL, NULL, NULL,
     "print the result as a JSON object, of tasks one for each file", 0},
    {"samples", GG_OPTION_TEXT, AT(samples), 0, 0, NULL, NULL, "FILE",
     "write JSONL: a line for each sample of a task, or for each document", 0},
    {"tokens", GG_OPTION_TEXT, AT(tokens), 0, 0, NULL, NULL, "FILE",
     "write JSONL: a line for each token, its log-probability, its rank, the likeliest in its place", 0},
    {"html", GG_OPTION_TEXT, AT(html), 0, 0, NULL, NULL, "FILE",
     "write a page of the text, coloured by surprise, on which each token opens these", 0},
    {"alternatives", GG_OPTION_INTEGER, AT(alternatives), 0, 100, "5", NULL, "N", "of each token in these",
     0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

struct job {
    struct gg_evaluate_job shared;
    struct gg_text_list shards;
    gg_loader *loader;
};

gg_status gg_evaluate_check_shards(const struct gg_loaded_model *model, const char *path, int64_t vocab,
                                   uint64_t fingerprint) {
    const struct gg_model_config *config = &model->replica.graph.config;
    if (model->tokenizer == NULL) { /* any tokenizer's ids, if the model has them */
        if (vocab > config->vocab)
            return gg_fail(GG_BAD_DATA, "%s: has a vocabulary of %lld ids, and the model of %s has %lld",
                           path, (long long)vocab, model->path, (long long)config->vocab);
        return GG_OK;
    }
    if (fingerprint != model->contents.meta.tokenizer_fingerprint)
        return gg_fail(GG_BAD_DATA,
                       "%s: was prepared with another tokenizer than the model of %s was trained with", path,
                       model->path);
    return gg_shard_vocab_check(path, vocab, model->path, gg_tokenizer_vocab(model->tokenizer));
}

/* On a rank that reads: opens the data. */
static gg_status open_data(struct job *job) {
    const struct gg_model_config *config = &job->shared.model.replica.graph.config;
    GG_TRY(gg_shards_expand(&job->shared.values->data, &job->shards, "--data"));
    struct gg_source source;
    GG_TRY(gg_shard_source_open(&job->shards, config->context, 0, false, &source));
    gg_loader_create(&source, &job->loader);
    return gg_evaluate_check_shards(&job->shared.model, job->shards.items[0], source.vocab,
                                    source.tokenizer_fingerprint);
}

/* The model, of the weights that were read. */
static gg_status make_model(struct gg_evaluate_job *job) {
    const struct gg_replica *r = &job->model.replica;
    return gg_model_create(&r->graph, &r->fabric, GG_MODEL_EVALUATE,
                           job->values->micro / r->topology.shards.token_shards, r->state.weights, NULL,
                           &job->trained);
}

static void print_json(const struct job *job, const struct gg_evaluation *result, double bits) {
    const struct gg_loaded_model *model = &job->shared.model;
    const struct gg_result_file out = {.out = stdout};
    gg_result_file_line(&out, json_pack("{s:o, s:I, s:f, s:f, s:o, s:I, s:f}", "checkpoint",
                                        gg_json_of_text(model->path, strlen(model->path)), "step",
                                        (json_int_t)model->contents.meta.step, "loss", result->loss,
                                        "perplexity", exp(result->loss), "bits_per_byte",
                                        gg_result_number(bits), "tokens", (json_int_t)result->count,
                                        "tokens_per_s", result->count / result->seconds));
}

static void print_words(const struct job *job, const struct gg_evaluation *result, double bits) {
    printf("%s, step %lld\n", job->shared.model.path, (long long)job->shared.model.contents.meta.step);
    printf("  loss           %.4f nats per token\n", result->loss);
    printf("  perplexity     %.2f\n", exp(result->loss));
    if (isfinite(bits))
        printf("  bits per byte  %.4f  (%.3f bytes of text per token)\n", bits,
               gg_loader_source(job->loader)->text_bytes_per_token);
    printf("  tokens         %lld in %.1f s, %.0f tokens/s\n", (long long)result->count, result->seconds,
           result->count / result->seconds);
}

void gg_evaluate_show_progress(void *bar, int64_t done, int64_t total) {
    struct gg_progress *progress = bar;
    progress->total = total;
    gg_progress_update(progress, done, NULL);
}

static gg_status measure(struct job *job) {
    struct gg_evaluate_job *shared = &job->shared;
    const struct gg_world *world = shared->world;
    struct gg_evaluator evaluator = {
        .replica = &shared->model.replica, .model = shared->trained, .micro = shared->values->micro};
    shared->bar = (struct gg_progress){.label = "evaluate", .unit = GG_PROGRESS_COUNT};
    if (world->rank == 0) {
        gg_progress_begin(&shared->bar);
        evaluator.progress = gg_evaluate_show_progress;
        evaluator.context_of_progress = &shared->bar;
    }
    struct gg_evaluation result;
    const gg_status status = gg_evaluate(&evaluator, job->loader, shared->values->sequences, &result);
    if (world->rank == 0)
        gg_progress_end(&shared->bar, NULL);
    GG_TRY(status);
    if (world->rank != 0)
        return GG_OK;
    const double bits = gg_bits_per_byte(result.loss, gg_loader_source(job->loader)->text_bytes_per_token);
    if (shared->values->json)
        print_json(job, &result, bits);
    else
        print_words(job, &result, bits);
    return GG_OK;
}

/* Shards as sequences one behind the other. */
static gg_status evaluate_sequences(struct gg_evaluate_job *shared) {
    struct job job = {.shared = *shared};
    gg_status status =
        gg_agree(shared->world->comm, gg_replica_reads(&shared->model.replica) ? open_data(&job) : GG_OK);
    if (status == GG_OK)
        status = measure(&job);
    gg_loader_destroy(&job.loader);
    gg_text_list_free(&job.shards);
    return status;
}

/* What is to be done. */
typedef gg_status evaluation(struct gg_evaluate_job *job);

static evaluation *choose(const struct gg_evaluate_values *values) {
    const bool documents = values->text.count > 0 || values->stride > 0 || values->samples != NULL ||
                           values->tokens != NULL || values->html != NULL;
    return values->data.count + values->text.count == 0 ? gg_evaluate_tasks
           : documents                                  ? gg_evaluate_documents
                                                        : evaluate_sequences;
}

/* Words behind the checkpoint belong to --data or --text where that is given, and are task files elsewhere. */
static gg_status take_words(struct gg_evaluate_values *values, const struct gg_words *words,
                            struct gg_evaluate_job *job) {
    const bool data = values->data.count > 0, text = values->text.count > 0;
    if (data && text)
        return gg_fail(GG_USAGE, "--data and --text exclude each other; give one of them");
    if ((data || text) && values->task != GG_TASK_AUTO)
        return gg_fail(GG_USAGE, "--task excludes --data and --text; give one of them");
    for (int i = 1; i < words->count && (data || text); i++)
        GG_TRY(gg_options_set(&table, values, data ? "data" : "text", words->items[i], "evaluate"));
    if (data || text)
        return GG_OK;
    job->files = (struct gg_text_list){words->items + 1, (size_t)(words->count - 1)};
    if (job->files.count == 0)
        return gg_fail(GG_USAGE,
                       "--data is wanted: the shards to evaluate on; or --text, or --task and its files");
    if (values->stride > 0 || values->tokens != NULL || values->html != NULL)
        return gg_fail(GG_USAGE, "--stride, --tokens and --html go with --data or --text");
    return GG_OK;
}

static gg_status open_model(struct gg_evaluate_job *job, const char *path) {
    const struct gg_evaluate_values *values = job->values;
    GG_TRY(
        gg_loaded_model_open(job->world, path, values->grid, values->micro, values->precision, &job->model));
    const struct gg_model_config *config = &job->model.replica.graph.config;
    if (config->classes_only && choose(values) != gg_evaluate_tasks)
        return gg_fail(
            GG_USAGE,
            "%s: its model tells classes alone, and not how likely a text is; evaluate it by --task classify",
            job->model.path);
    if (values->alternatives > config->vocab)
        return gg_fail(GG_USAGE, "--alternatives: the model has %lld tokens in all",
                       (long long)config->vocab);
    return gg_agree(job->world->comm, make_model(job));
}

static gg_status evaluate(const struct gg_world *world, void *options_read, const struct gg_words *words) {
    struct gg_evaluate_values *values = options_read;
    struct gg_evaluate_job job = {.world = world, .values = values};
    GG_TRY(take_words(values, words, &job));
    gg_job_threads(values->threads);
    gg_status status = gg_evaluate_read_tasks(&job);
    if (status == GG_OK)
        status = open_model(&job, words->items[0]);
    if (status == GG_OK)
        status = choose(values)(&job);
    for (size_t i = 0; job.tasks != NULL && i < job.files.count; i++)
        gg_task_free(&job.tasks[i]);
    free(job.tasks);
    gg_model_destroy(&job.trained);
    gg_loaded_model_close(&job.model);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct gg_evaluate_values values = {0};
    return gg_job_run(command, argc, argv, &values, 1, 1000000, evaluate);
}

const struct gg_command gg_command_evaluate = {
    .name = "evaluate",
    .usage =
        "[mpirun -n N] gridgpt evaluate CHECKPOINT --data SHARD... | --text FILE... | [--task KIND] FILE.jsonl... "
        "[options]",
    .summary =
        "loss, perplexity and bits per byte of a model over shards or texts, or its answers to tasks\n"
        "CHECKPOINT is a file, or a run folder: then its newest. Each replica takes its share of the "
        "sequences.\n"
        "Tasks are scored as lm-evaluation-harness does: hellaswag and multiple_choice by acc and acc_norm,\n"
        "lambada and cloze by acc and perplexity of the last word, classify by acc and macro_f1.",
    .options = &table,
    .run = run,
};
