#include "jobs/use/evaluation.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/model/token_scores.h"
#include "jobs/replica/feed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A replica's micro-batch, whole; a rank computes on its token shard's rows of it. */
struct buffers {
    struct gg_micro_batch read; /* with marks where the source has them */
    struct gg_marks marks;      /* of all rows, whether it has or not; owned */
};

static struct buffers make_buffers(int64_t micro, int64_t context, bool marked) {
    const size_t tokens = (size_t)(micro * context);
    struct buffers b = {
        .read = {gg_calloc(tokens, sizeof(int32_t)),
                 gg_calloc(tokens, sizeof(int32_t)),
                 gg_calloc((size_t)micro, sizeof(uint64_t)),
                 {0}},
        .marks = {gg_calloc(tokens, sizeof(float)), gg_calloc(tokens, sizeof(int32_t)),
                  gg_calloc(tokens, sizeof(int32_t)), gg_calloc(tokens, sizeof(float))},
    };
    if (marked)
        b.read.marks = b.marks;
    return b;
}

static void free_buffers(struct buffers *b) {
    free(b->read.inputs);
    free(b->read.targets);
    free(b->read.sample_ids);
    free(b->marks.loss_weights);
    free(b->marks.starts);
    free(b->marks.labels);
    free(b->marks.label_weights);
}

/* Rows that count: of samples below `limit`. In the others nothing does. */
static int64_t weigh_rows(const struct buffers *b, int64_t micro, int64_t context, int64_t limit) {
    int64_t rows = 0;
    for (int64_t row = 0; row < micro; row++) {
        const bool counts = b->read.sample_ids[row] < (uint64_t)limit;
        const struct gg_marks marks = gg_marks_from(&b->marks, row * context);
        rows += counts;
        if (!counts)
            gg_marks_clear(&marks, context);
        for (int64_t t = 0; counts && b->read.marks.loss_weights == NULL && t < context; t++)
            marks.loss_weights[t] = 1;
    }
    return rows;
}

/* Counts the classes that are told; returns their losses. */
static double classify_rows(const struct gg_evaluator *e, const struct gg_batch *batch, int64_t *confusion) {
    const int64_t tokens = batch->sequences * batch->time, classes = e->replica->graph.config.classes;
    float *values = gg_malloc((size_t)(2 * tokens) * sizeof *values);
    int32_t *ids = gg_malloc((size_t)(2 * tokens) * sizeof *ids), *told = ids + tokens;
    struct gg_token_scores scores = {true, values, ids, 1, told, values + tokens};
    double sum = 0;
    gg_model_score(e->model, batch, &scores);
    for (int64_t i = 0; i < tokens; i++) {
        if (batch->label_weights[i] == 0)
            continue;
        sum -= (double)values[i];
        if (e->replica->topology.shards.feature_index == 0) /* the others know the same */
            confusion[batch->labels[i] * classes + told[i]]++;
    }
    free(values);
    free(ids);
    return sum;
}

/* A micro-batch's losses, and what counts in it. */
struct sums {
    double loss, count;
};

/* This rank's of a micro-batch. */
static struct sums evaluate_rows(const struct gg_evaluator *e, const struct buffers *b, int64_t *confusion) {
    const int64_t local = e->micro / e->replica->topology.shards.token_shards;
    const int64_t first = e->replica->topology.shards.token_index * local;
    const struct gg_batch batch = gg_replica_batch(e->replica, &b->read, &b->marks, first, local);
    const int64_t tokens = local * e->replica->graph.config.context;
    double sum;
    if (confusion != NULL)
        sum = classify_rows(e, &batch, confusion);
    else
        gg_model_evaluate(e->model, &batch, &sum);
    const struct gg_marks marks = gg_marks_from(&b->marks, first * e->replica->graph.config.context);
    return (struct sums){sum, gg_marks_count(&marks, tokens, e->replica->graph.config.classes > 0)};
}

/* This rank's next micro-batch, or the ranks' agreement that there is none for all. */
static gg_status next_rows(const struct gg_evaluator *e, gg_loader *loader, struct buffers *b) {
    const struct gg_replica *r = e->replica;
    gg_status status =
        gg_feed_next(r->topology.grid, loader, e->micro, r->graph.config.context, &b->read, NULL);
    if (status == GG_OK && e->stop != NULL && e->stop())
        status = gg_fail(GG_STOPPED, "the evaluation was left on request");
    return gg_agree(r->world->comm, status);
}

/* Starts the loaders anew; afterwards every rank knows how many samples there are. */
static gg_status start(const struct gg_evaluator *e, gg_loader *loader, int64_t *samples) {
    const struct gg_topology *topology = &e->replica->topology;
    const struct gg_loader_plan plan = {.sequences = e->micro * topology->replicas,
                                        .micro = e->micro,
                                        .replica = topology->replica,
                                        .replicas = topology->replicas};
    *samples = loader != NULL ? gg_loader_source(loader)->samples : 0;
    MPI_Bcast(samples, 1, MPI_INT64_T, 0, topology->grid);
    return gg_agree(e->replica->world->comm, loader != NULL ? gg_loader_start(loader, &plan) : GG_OK);
}

/* Adds the counts of all ranks to the evaluator's. */
static void add_counts(const struct gg_evaluator *e, int64_t *counts, int64_t cells) {
    MPI_Allreduce(MPI_IN_PLACE, counts, gg_int(cells), MPI_INT64_T, MPI_SUM, e->replica->world->comm);
    for (int64_t i = 0; i < cells; i++)
        e->confusion[i] += counts[i];
}

/* The sums over all micro-batches and ranks, in the order of the samples, and for each micro-batch of the places of a
 * grid: the same for any number of replicas.
 *   mine [in] (rounds) this rank's */
static struct sums sum_in_order(const struct gg_replica *r, const struct sums *mine, int64_t rounds) {
    const int ranks = r->world->size;
    struct sums *all = gg_calloc((size_t)(ranks * rounds) + 1, sizeof *all), sum = {0, 0};
    MPI_Allgather(mine, gg_int(2 * rounds), MPI_DOUBLE, all, gg_int(2 * rounds), MPI_DOUBLE, r->world->comm);
    for (int64_t round = 0; round < rounds; round++)
        for (int rank = 0; rank < ranks; rank++) {
            sum.loss += all[rank * rounds + round].loss;
            sum.count += all[rank * rounds + round].count;
        }
    free(all);
    return sum;
}

gg_status gg_evaluate(const struct gg_evaluator *e, gg_loader *loader, int64_t sequences,
                      struct gg_evaluation *result) {
    const struct gg_topology *topology = &e->replica->topology;
    const int64_t context = e->replica->graph.config.context, round = e->micro * topology->replicas;
    const double begin = gg_clock_seconds();
    int64_t all;
    GG_TRY(start(e, loader, &all));
    const int64_t limit = sequences > 0 && sequences < all ? sequences : all;
    struct buffers buffers = make_buffers(e->micro, context, e->marked);
    const int64_t classes = e->replica->graph.config.classes;
    int64_t *confusion =
        e->confusion != NULL ? gg_calloc((size_t)(classes * classes), sizeof *confusion) : NULL;
    const int64_t rounds = (limit + round - 1) / round;
    struct sums *mine = gg_calloc((size_t)rounds + 1, sizeof *mine);
    gg_status status = GG_OK;
    for (int64_t first = 0; status == GG_OK && first < limit; first += round) {
        status = next_rows(e, loader, &buffers);
        if (status != GG_OK)
            break;
        if (weigh_rows(&buffers, e->micro, context, limit) > 0)
            mine[first / round] = evaluate_rows(e, &buffers, confusion);
        if (e->progress != NULL)
            e->progress(e->context_of_progress, first + round < limit ? first + round : limit, limit);
    }
    free_buffers(&buffers);
    if (status == GG_OK && confusion != NULL)
        add_counts(e, confusion, classes * classes);
    free(confusion);
    if (topology->shards.feature_index != 0) /* feature shards hold the same sums */
        memset(mine, 0, (size_t)rounds * sizeof *mine);
    const struct sums sum = status == GG_OK ? sum_in_order(e->replica, mine, rounds) : (struct sums){0, 0};
    free(mine);
    GG_TRY(status);
    result->count = sum.count;
    result->loss = sum.loss / sum.count;
    result->seconds = gg_clock_seconds() - begin;
    return GG_OK;
}

double gg_bits_per_byte(double loss, double bytes_per_token) {
    return loss / log(2.0) / bytes_per_token;
}
