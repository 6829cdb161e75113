#include "jobs/use/evaluation.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "jobs/replica/feed.h"

#include <math.h>
#include <stdlib.h>

/* A replica's micro-batch, whole; a rank computes on its token shard's rows of it. */
struct buffers {
    int32_t *inputs, *targets;
    uint64_t *sample_ids;
    float *loss_weights;
};

static struct buffers make_buffers(int64_t micro, int64_t context) {
    const size_t tokens = (size_t)(micro * context);
    return (struct buffers){gg_calloc(tokens, sizeof(int32_t)), gg_calloc(tokens, sizeof(int32_t)),
                            gg_calloc((size_t)micro, sizeof(uint64_t)), gg_calloc(tokens, sizeof(float))};
}

static void free_buffers(struct buffers *b) {
    free(b->inputs);
    free(b->targets);
    free(b->sample_ids);
    free(b->loss_weights);
}

/* Rows that count: of samples below `limit`. The others get weight 0. */
static int64_t weigh_rows(const struct buffers *b, int64_t micro, int64_t context, int64_t limit) {
    int64_t rows = 0;
    for (int64_t row = 0; row < micro; row++) {
        const bool counts = b->sample_ids[row] < (uint64_t)limit;
        rows += counts;
        for (int64_t t = 0; t < context; t++)
            b->loss_weights[row * context + t] = counts ? 1 : 0;
    }
    return rows;
}

/* This rank's losses of the micro-batch. */
static double evaluate_rows(const struct gg_evaluator *e, const struct buffers *b) {
    const int64_t context = e->replica->graph.config.context;
    const int64_t local = e->micro / e->replica->topology.shards.token_shards,
                  first = e->replica->topology.shards.token_index * local * context;
    const struct gg_batch batch = {.sequences = local,
                                   .time = context,
                                   .inputs = b->inputs + first,
                                   .targets = b->targets + first,
                                   .loss_weights = b->loss_weights + first};
    double sum;
    gg_model_evaluate(e->model, &batch, &sum);
    return sum;
}

/* This rank's next micro-batch, or the ranks' agreement that there is none for all. */
static gg_status next_rows(const struct gg_evaluator *e, gg_loader *loader, struct buffers *b) {
    const struct gg_replica *r = e->replica;
    gg_status status = gg_feed_next(r->topology.grid, loader, e->micro, r->graph.config.context, b->inputs,
                                    b->targets, b->sample_ids, NULL);
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
    *samples = loader != NULL ? gg_loader_samples(loader) : 0;
    MPI_Bcast(samples, 1, MPI_INT64_T, 0, topology->grid);
    return gg_agree(e->replica->world->comm, loader != NULL ? gg_loader_start(loader, &plan) : GG_OK);
}

gg_status gg_evaluate(const struct gg_evaluator *e, gg_loader *loader, int64_t sequences,
                      struct gg_evaluation *result) {
    const struct gg_topology *topology = &e->replica->topology;
    const int64_t context = e->replica->graph.config.context, round = e->micro * topology->replicas;
    const double begin = gg_clock_seconds();
    int64_t all;
    GG_TRY(start(e, loader, &all));
    const int64_t limit = sequences > 0 && sequences < all ? sequences : all;
    struct buffers buffers = make_buffers(e->micro, context);
    double loss = 0;
    int64_t rows = 0;
    gg_status status = GG_OK;
    for (int64_t first = 0; status == GG_OK && first < limit; first += round) {
        status = next_rows(e, loader, &buffers);
        if (status != GG_OK)
            break;
        const int64_t counting = weigh_rows(&buffers, e->micro, context, limit);
        rows += counting;
        if (counting > 0)
            loss += evaluate_rows(e, &buffers);
        if (e->progress != NULL)
            e->progress(e->context_of_progress, first + round < limit ? first + round : limit, limit);
    }
    free_buffers(&buffers);
    GG_TRY(status);
    /* Feature shards hold the same sums, and all ranks of a replica count the same rows. */
    const bool counts = topology->shards.feature_index == 0;
    double sums[2] = {counts ? loss : 0, gg_replica_reads(e->replica) ? (double)rows : 0};
    MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, e->replica->world->comm);
    result->tokens = (int64_t)sums[1] * context;
    result->loss = sums[0] / (double)result->tokens;
    result->seconds = gg_clock_seconds() - begin;
    return GG_OK;
}

double gg_bits_per_byte(double loss, double bytes_per_token) {
    return loss / log(2.0) / bytes_per_token;
}
