#include "jobs/bench/bench_generate.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/kernels/streams.h"
#include "core/model/decoder.h"
#include "core/model/graph_figures.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/launch/statistics.h"
#include "jobs/replica/replica.h"

#include <jansson.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Texts begin behind a prompt and are written up to a position where the cache weighs little beside the weights. */
enum { MOST_REPEATS = 100, BATCHES = 2, BEGIN = 16, END = 128, PROMPT = 512 };
static const int64_t batches[BATCHES] = {1, 8};

struct series {
    double values[MOST_REPEATS];
    int count;
};

/* What is measured in one precision. */
struct bench {
    const struct gg_world *world;
    enum gg_precision precision;
    int repeats;
    struct gg_replica replica;
    int64_t weights_bytes; /* of this rank, that a step reads */
    float *stream;         /* as many */
    gg_decoder *decoders[BATCHES];
    gg_model *training; /* the forward pass of one sequence */
    int32_t *ids;       /* (context + 1) */
    int64_t begin, end, prompt;
    struct series read, rate[BATCHES], share[BATCHES], prefill, forward; /* bytes/s, tokens/s */
};

static void add(struct series *s, double value) {
    s->values[s->count++] = value;
}

/* The weights of all products: those of embeddings are looked up, and vectors weigh nothing beside them. */
static int64_t bytes_of(const struct gg_graph *graph) {
    const int64_t ranks = (int64_t)graph->shards.feature_shards * graph->shards.token_shards;
    const char *name;
    int64_t elements = 0;
    for (int i = 0; gg_graph_linear(graph, i, &name) != NULL; i++) {
        const struct gg_linear *linear = gg_graph_linear(graph, i, &name);
        elements += linear->in * linear->out / ranks;
    }
    return elements * (int64_t)gg_stored_bytes(graph->config.precision);
}

/* Seconds of the slowest rank since `begin`. */
static double seconds_since(const struct bench *b, double begin) {
    double seconds = gg_clock_seconds() - begin;
    MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, b->world->comm);
    return seconds;
}

/* The bytes per second at which all ranks read their own: the better of two passes. */
static double read_rate(const struct bench *b) {
    static volatile float sink;
    double best = 0;
    for (int pass = 0; pass < 2; pass++) {
        MPI_Barrier(b->world->comm);
        const double begin = gg_clock_seconds();
        sink = gg_stream_read(b->stream, b->weights_bytes / (int64_t)sizeof(float));
        (void)sink;
        const double rate = (double)b->weights_bytes * b->world->size / seconds_since(b, begin);
        best = rate > best ? rate : best;
    }
    return best;
}

/* Steps from `begin` to `end` of all texts of a decoder, drawn as `generate` draws them; tokens per second. */
static double write_texts(const struct bench *b, int batch) {
    gg_decoder *decoder = b->decoders[batch];
    const int64_t texts = batches[batch];
    int32_t ids[8];
    for (int64_t t = 0; t < texts; t++) {
        gg_decoder_begin(decoder, t);
        gg_decoder_feed(decoder, t, b->ids + t, b->begin);
    }
    MPI_Barrier(b->world->comm);
    const double begin = gg_clock_seconds();
    for (int64_t position = b->begin; position < b->end; position++) {
        for (int64_t t = 0; t < texts; t++)
            ids[t] = (int32_t)gg_decoder_sample(
                decoder, t,
                &(struct gg_sampling){.temperature = 0.8, .top_p = 1, .seed = 1, .text = (uint32_t)t});
        gg_decoder_step(decoder, ids);
    }
    return (double)(texts * (b->end - b->begin)) / seconds_since(b, begin);
}

static double take_prompt(const struct bench *b) {
    gg_decoder_begin(b->decoders[0], 0);
    MPI_Barrier(b->world->comm);
    const double begin = gg_clock_seconds();
    gg_decoder_feed(b->decoders[0], 0, b->ids, b->prompt);
    return (double)b->prompt / seconds_since(b, begin);
}

/* The forward pass of a training step, loss included. */
static double pass_forward(const struct bench *b) {
    const struct gg_batch batch = {
        .sequences = 1, .time = b->prompt, .inputs = b->ids, .targets = b->ids + 1};
    double loss;
    MPI_Barrier(b->world->comm);
    const double begin = gg_clock_seconds();
    gg_model_evaluate(b->training, &batch, &loss);
    return (double)b->prompt / seconds_since(b, begin);
}

/* Everything in turns, reading before and behind each batch: other work slows memory for seconds. The first turn
 * warms up. */
static void measure(struct bench *b) {
    for (int turn = -1; turn < b->repeats; turn++) {
        double before = read_rate(b), prefill, forward;
        for (int i = 0; i < BATCHES; i++) {
            const double rate = write_texts(b, i), behind = read_rate(b);
            const double read = before > behind ? before : behind;
            before = behind;
            if (turn < 0)
                continue;
            add(&b->read, read);
            add(&b->rate[i], rate);
            add(&b->share[i], rate / (double)batches[i] * (double)b->weights_bytes * b->world->size / read);
        }
        prefill = take_prompt(b);
        forward = pass_forward(b);
        if (turn < 0)
            continue;
        add(&b->prefill, prefill);
        add(&b->forward, forward);
    }
}

/* This rank's memory, when the replica is opened. */
static gg_status allocate(struct bench *b) {
    const struct gg_replica *r = &b->replica;
    const struct gg_model_config *config = &r->graph.config;
    void *memory;
    b->weights_bytes = bytes_of(&r->graph);
    GG_TRY(gg_try_malloc((size_t)b->weights_bytes, "as many bytes as the weights", &memory));
    b->stream = memory;
    gg_zero(memory, (size_t)b->weights_bytes);
    gg_parameters_initialise(&r->graph.table, (uint64_t)b->replica.settings->run.seed, r->state.weights);
    for (int i = 0; i < BATCHES; i++)
        GG_TRY(gg_decoder_create(&r->graph, &r->fabric, r->state.weights, batches[i], &b->decoders[i]));
    GG_TRY(
        gg_model_create(&r->graph, &r->fabric, GG_MODEL_EVALUATE, 1, r->state.weights, NULL, &b->training));
    b->ids = gg_calloc((size_t)config->context + 1, sizeof *b->ids);
    for (int64_t i = 0; i <= config->context; i++)
        b->ids[i] = (int32_t)(gg_random_bits(1, 1, (uint64_t)i) % (uint64_t)config->vocab);
    b->prompt = PROMPT < config->context ? PROMPT : config->context;
    b->end = END < config->context ? END : config->context;
    b->begin = BEGIN < b->end ? BEGIN : b->end / 2;
    return GG_OK;
}

static gg_status open_bench(struct bench *b, const struct gg_settings *settings, int64_t vocab) {
    struct gg_replica *r = &b->replica;
    GG_TRY(gg_replica_place(b->world, settings, r));
    if (r->topology.replicas > 1)
        return gg_fail(GG_USAGE,
                       "bench --generate: one model writes text, and %d ranks hold %d; try "
                       "parallel.grid=%dx1",
                       b->world->size, r->topology.replicas, b->world->size);
    GG_TRY(gg_replica_shape(r, vocab, b->precision, false));
    if (r->graph.config.context < 2)
        return gg_fail(GG_USAGE, "bench --generate: model.context=%lld leaves no room for text",
                       (long long)r->graph.config.context);
    GG_TRY(gg_replica_open_weights(r));
    return gg_agree(b->world->comm, allocate(b));
}

static void close_bench(struct bench *b) {
    for (int i = 0; i < BATCHES; i++)
        gg_decoder_destroy(&b->decoders[i]);
    if (b->training != NULL)
        gg_model_destroy(&b->training);
    free(b->stream);
    free(b->ids);
    gg_replica_close(&b->replica);
}

static double median(const struct series *s) {
    double sorted[MOST_REPEATS];
    memcpy(sorted, s->values, (size_t)s->count * sizeof *sorted);
    return gg_median(sorted, s->count);
}

static double spread(const struct series *s) {
    double sorted[MOST_REPEATS];
    memcpy(sorted, s->values, (size_t)s->count * sizeof *sorted);
    (void)gg_median(sorted, s->count);
    return gg_spread(sorted, s->count);
}

static void print_words(const struct bench *b) {
    printf(
        "%s, %d ranks x %d threads: %.1f MB of weights a step, read at %.1f GB/s; medians of %d turns after one "
        "that warms up\n",
        gg_precision_names[b->precision], b->world->size, omp_get_max_threads(),
        1e-6 * (double)b->weights_bytes * b->world->size, 1e-9 * median(&b->read), b->repeats);
    printf("  texts at once   tokens/s   spread   bytes of weights a second, of the rate of reading\n");
    for (int i = 0; i < BATCHES; i++)
        printf("  %13lld %10.1f %7.1f%% %33.1f GB/s %8.1f%%\n", (long long)batches[i], median(&b->rate[i]),
               100 * spread(&b->rate[i]), 1e-9 * median(&b->share[i]) * median(&b->read),
               100 * median(&b->share[i]));
    printf(
        "  a prompt of %lld: %.0f tokens/s (spread %.1f%%), training's forward pass of as many %.0f (%.1f%%)\n",
        (long long)b->prompt, median(&b->prefill), 100 * spread(&b->prefill), median(&b->forward),
        100 * spread(&b->forward));
}

static json_t *json_of(const struct bench *b) {
    json_t *rows = json_array();
    for (int i = 0; i < BATCHES; i++)
        json_array_append_new(rows, json_pack("{s:I, s:f, s:f, s:f}", "texts", (json_int_t)batches[i],
                                              "tokens_per_s", median(&b->rate[i]), "spread",
                                              spread(&b->rate[i]), "of_reading", median(&b->share[i])));
    json_t *all =
        json_pack("{s:s, s:i, s:i, s:I, s:f, s:I, s:I, s:o, s:I, s:f, s:f, s:i}", "precision",
                  gg_precision_names[b->precision], "ranks", b->world->size, "threads", omp_get_max_threads(),
                  "weights_bytes", (json_int_t)b->weights_bytes * b->world->size, "read_gb_s",
                  1e-9 * median(&b->read), "from_position", (json_int_t)b->begin, "to_position",
                  (json_int_t)b->end, "batches", rows, "prompt_tokens", (json_int_t)b->prompt,
                  "prompt_tokens_per_s", median(&b->prefill), "forward_tokens_per_s", median(&b->forward),
                  "repeats", b->repeats);
    GG_ASSERT(all != NULL);
    return all;
}

/* One precision; rank 0's result is appended to `results`, or printed where that is NULL. */
static gg_status bench_precision(const struct gg_world *world, const struct gg_settings *settings,
                                 int64_t vocab, enum gg_precision precision, int repeats, json_t *results) {
    struct bench *b = gg_calloc(1, sizeof *b);
    *b = (struct bench){.world = world,
                        .precision = precision,
                        .repeats = repeats < MOST_REPEATS / BATCHES ? repeats : MOST_REPEATS / BATCHES};
    const gg_status status = open_bench(b, settings, vocab);
    if (status == GG_OK) {
        measure(b);
        if (world->rank == 0 && results != NULL)
            json_array_append_new(results, json_of(b));
        else if (world->rank == 0)
            print_words(b);
        fflush(stdout);
    }
    close_bench(b);
    free(b);
    return status;
}

static bool precision_is_given(const struct gg_settings *settings) {
    for (size_t i = 0; i < gg_settings_table.count; i++)
        if (strcmp(gg_settings_table.options[i].name, "compute.precision") == 0)
            return settings->given[i];
    return false;
}

gg_status gg_bench_generate(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                            int repeats, bool json) {
    const bool given = precision_is_given(settings);
    json_t *results = json ? json_array() : NULL;
    gg_status status = GG_OK;
    for (int i = 0; i < (given ? 1 : 2) && status == GG_OK; i++) {
        enum gg_precision wanted =
                              given ? (enum gg_precision)settings->compute.precision : (enum gg_precision)i,
                          precision;
        status = gg_precision_choose(world, wanted,
                                     given ? (enum gg_fallback)settings->compute.fallback : GG_FALLBACK_FP32,
                                     &precision);
        if (status == GG_OK && (given || precision == wanted))
            status = bench_precision(world, settings, vocab, precision, repeats, results);
    }
    if (status == GG_OK && json && world->rank == 0) {
        json_dumpf(results, stdout, JSON_REAL_PRECISION(9));
        putchar('\n');
    }
    json_decref(results);
    return status;
}
