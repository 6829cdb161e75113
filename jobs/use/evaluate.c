/* gridgpt evaluate: loss, perplexity and bits per byte of a model over shards. */
#include "jobs/command/commands.h"

#include "core/text/clean.h"
#include "io/shards/shard_source.h"
#include "jobs/command/job.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/launch/progress.h"
#include "jobs/use/evaluation.h"
#include "jobs/use/loaded_model.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct values {
    struct gg_text_list data;
    char *grid;
    int64_t sequences, micro, threads;
    int precision; /* enum gg_precision_option */
    bool json;
};

#define AT(member) offsetof(struct values, member)
static const struct gg_option options[] = {
    {"data", GG_OPTION_LIST, AT(data), 0, 0, NULL, NULL, "SHARD...", "shards to evaluate on: paths or globs",
     0},
    {"sequences", GG_OPTION_INTEGER, AT(sequences), 0, 9e15, "0", NULL, "N", "sequences at most; 0: all", 0},
    {"micro", GG_OPTION_INTEGER, AT(micro), 1, 1e6, "4", NULL, "N", "sequences a replica takes at once", 0},
    {"threads", GG_OPTION_INTEGER, AT(threads), 0, 4096, "0", NULL, "N",
     "threads per rank; 0: OMP_NUM_THREADS, else 1", 0},
    {"grid", GG_OPTION_TEXT, AT(grid), 0, 0, "1x1", NULL, "PxQ", "ranks of one replica of the model", 0},
    {"precision", GG_OPTION_CHOICE, AT(precision), 0, 0, "checkpoint", gg_precision_option_names, NULL,
     "arithmetic; checkpoint: its run's, fp32 where the processor has no bf16", 0},
    {"json", GG_OPTION_FLAG, AT(json), 0, 0, NULL, NULL, NULL, "print the result as a JSON object", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

struct job {
    const struct gg_world *world;
    const struct values *values;
    struct gg_loaded_model model;
    struct gg_text_list shards;
    gg_loader *loader;
    gg_model *trained;
};

/* On a rank that reads: opens the data. */
static gg_status open_data(struct job *job) {
    const struct gg_model_config *config = &job->model.replica.graph.config;
    GG_TRY(gg_shards_expand(&job->values->data, &job->shards, "--data"));
    struct gg_source source;
    GG_TRY(gg_shard_source_open(&job->shards, config->context, 0, false, &source));
    gg_loader_create(&source, &job->loader);
    if (job->model.tokenizer == NULL) { /* any tokenizer's ids, if the model has them */
        if (gg_loader_source(job->loader)->vocab > config->vocab)
            return gg_fail(GG_BAD_DATA, "%s: has a vocabulary of %lld ids, and the model of %s has %lld",
                           job->shards.items[0], (long long)gg_loader_source(job->loader)->vocab,
                           job->model.path, (long long)config->vocab);
        return GG_OK;
    }
    if (gg_loader_source(job->loader)->tokenizer_fingerprint !=
        job->model.contents.meta.tokenizer_fingerprint)
        return gg_fail(GG_BAD_DATA,
                       "%s: was prepared with another tokenizer than the model of %s was trained with",
                       job->shards.items[0], job->model.path);
    GG_TRY(gg_shard_vocab_check(job->shards.items[0], gg_loader_source(job->loader)->vocab, job->model.path,
                                gg_tokenizer_vocab(job->model.tokenizer)));
    return GG_OK;
}

/* The model, of the weights that were read. */
static gg_status make_model(struct job *job) {
    const struct gg_replica *r = &job->model.replica;
    return gg_model_create(&r->graph, &r->fabric, GG_MODEL_EVALUATE,
                           job->values->micro / r->topology.shards.token_shards, r->state.weights, NULL,
                           &job->trained);
}

static void print_json(const struct job *job, const struct gg_evaluation *result, double bits) {
    /* JSON holds no names that are not UTF-8. */
    const struct gg_clean_rules rules = {.replace_invalid = true, .keep_controls = true};
    struct gg_text path = {0};
    size_t invalid_at;
    GG_ASSERT(gg_clean(&rules, job->model.path, strlen(job->model.path), &path, &invalid_at) == GG_OK);
    json_t *object = json_pack("{s:s%, s:I, s:f, s:f, s:f, s:I, s:f}", "checkpoint", path.bytes, path.count,
                               "step", (json_int_t)job->model.contents.meta.step, "loss", result->loss,
                               "perplexity", exp(result->loss), "bits_per_byte", bits, "tokens",
                               (json_int_t)result->count, "tokens_per_s", result->count / result->seconds);
    gg_text_free(&path);
    GG_ASSERT(object != NULL);
    json_dumpf(object, stdout, JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
}

static void print_words(const struct job *job, const struct gg_evaluation *result, double bits) {
    printf("%s, step %lld\n", job->model.path, (long long)job->model.contents.meta.step);
    printf("  loss           %.4f nats per token\n", result->loss);
    printf("  perplexity     %.2f\n", exp(result->loss));
    printf("  bits per byte  %.4f  (%.3f bytes of text per token)\n", bits,
           gg_loader_source(job->loader)->text_bytes_per_token);
    printf("  tokens         %lld in %.1f s, %.0f tokens/s\n", (long long)result->count, result->seconds,
           result->count / result->seconds);
}

static void show_progress(void *bar, int64_t done, int64_t total) {
    struct gg_progress *progress = bar;
    progress->total = total;
    gg_progress_update(progress, done, NULL);
}

static gg_status measure(struct job *job) {
    const struct gg_world *world = job->world;
    struct gg_evaluator evaluator = {
        .replica = &job->model.replica, .model = job->trained, .micro = job->values->micro};
    struct gg_progress bar = {.label = "evaluate", .unit = GG_PROGRESS_COUNT};
    if (world->rank == 0) {
        gg_progress_begin(&bar);
        evaluator.progress = show_progress;
        evaluator.context_of_progress = &bar;
    }
    struct gg_evaluation result;
    const gg_status status = gg_evaluate(&evaluator, job->loader, job->values->sequences, &result);
    if (world->rank == 0)
        gg_progress_end(&bar, NULL);
    GG_TRY(status);
    if (world->rank != 0)
        return GG_OK;
    const double bits = gg_bits_per_byte(result.loss, gg_loader_source(job->loader)->text_bytes_per_token);
    if (job->values->json)
        print_json(job, &result, bits);
    else
        print_words(job, &result, bits);
    return GG_OK;
}

static gg_status evaluate(const struct gg_world *world, void *options_read, const struct gg_words *words) {
    struct values *values = options_read;
    /* --data a b c: the words behind the checkpoint are shards too. */
    for (int i = 1; i < words->count; i++)
        GG_TRY(gg_options_set(&table, values, "data", words->items[i], "evaluate"));
    if (values->data.count == 0)
        return gg_fail(GG_USAGE, "--data is wanted: the shards to evaluate on");
    gg_job_threads(values->threads);
    struct job job = {.world = world, .values = values};
    gg_status status = gg_loaded_model_open(world, words->items[0], values->grid, values->micro,
                                            values->precision, &job.model);
    if (status == GG_OK)
        status = gg_agree(world->comm, gg_replica_reads(&job.model.replica) ? open_data(&job) : GG_OK);
    if (status == GG_OK)
        status = gg_agree(world->comm, make_model(&job));
    if (status == GG_OK)
        status = measure(&job);
    gg_model_destroy(&job.trained);
    gg_loader_destroy(&job.loader);
    gg_text_list_free(&job.shards);
    gg_loaded_model_close(&job.model);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_job_run(command, argc, argv, &values, 1, 1000000, evaluate);
}

const struct gg_command gg_command_evaluate = {
    .name = "evaluate",
    .usage = "[mpirun -n N] gridgpt evaluate CHECKPOINT --data SHARD... [options]",
    .summary = "loss, perplexity and bits per byte of a model over shards\n"
               "CHECKPOINT is a file, or a run folder: then its newest. Each replica takes its share of the "
               "sequences.",
    .options = &table,
    .run = run,
};
