#include "jobs/replica/replica_step.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/kernels/tree_sum.h"
#include "core/optim/gradient_norm.h"
#include "core/optim/optimizer.h"
#include "jobs/launch/watchdog.h"
#include "jobs/replica/feed.h"
#include "mpi/reduce/replicated.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const gg_phase_names[GG_STEP_PHASES] = {"data", "forward", "backward", "reduce", "optimizer"};

static void clear_gradients(struct gg_replica *r) {
    float *gradients = r->state.gradients;
    const int64_t count = r->graph.table.trained_elements;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++)
        gradients[i] = 0;
}

/* This rank's sequences of the micro-batch that was loaded, and what counts in them. */
static struct gg_batch local_batch(const struct gg_replica *r, double *count) {
    const struct gg_micro_batch *all = &r->state.batch;
    const int64_t sequences = r->plan.local_sequences, context = r->graph.config.context,
                  first = r->topology.shards.token_index * sequences;
    const struct gg_marks marks = gg_marks_from(&all->marks, first * context);
    *count = gg_marks_count(&marks, sequences * context, r->graph.config.classes > 0);
    return gg_replica_batch(r, all, &all->marks, first, sequences);
}

/* Vectors stand on every token shard, each with its tokens' share. */
static void sum_replicated(struct gg_replica *r) {
    int count;
    const struct gg_owned_range *owned = gg_reducer_owned(r->reducer, &count);
    if (r->topology.shards.token_shards == 1)
        return;
    const double begin = gg_clock_seconds();
    gg_replicated_sum(gg_grid_token_comm(r->grid), &r->graph.table, owned, count, r->state.replicated);
    r->seconds[GG_PHASE_REDUCE] += gg_clock_seconds() - begin;
}

/* The gradients' way from the backward pass: added to what waits of this replica's other virtual ones, then summed
 * over replicas. */
struct gradient_way {
    struct gg_replica *replica;
    struct gg_gradient_hook reducer;
};

static void take_up(struct gg_replica *r, int64_t from) {
    const double begin = gg_clock_seconds();
    gg_gradient_tree_take(&r->tree, from);
    r->seconds[GG_PHASE_REDUCE] += gg_clock_seconds() - begin;
}

static void put_away(struct gg_replica *r) {
    const double begin = gg_clock_seconds();
    gg_gradient_tree_put(&r->tree);
    r->seconds[GG_PHASE_REDUCE] += gg_clock_seconds() - begin;
}

static void gradients_ready(void *context, int64_t from) {
    const struct gradient_way *way = context;
    take_up(way->replica, from);
    way->reducer.ready(way->reducer.context, from);
}

/* What a virtual replica's micro-batches come to. */
struct sums {
    double loss, count;
};

/* Forward and backward over a micro-batch.
 *   hook [in] of the last one, or NULL */
static gg_status compute_micro_batch(struct gg_replica *r, gg_loader *loader,
                                     const struct gg_gradient_hook *hook, struct sums *sums) {
    const float loss_scale = (float)(1.0 / (double)r->plan.tokens_per_step);
    const bool grid = r->topology.shards.feature_shards * r->topology.shards.token_shards > 1;
    double waited = 0, loss, count;
    gg_watchdog_at("waiting for data", grid ? "the batch from the grid's rank that reads" : NULL);
    const gg_status status = gg_feed_next(r->topology.grid, loader, r->settings->batch.micro,
                                          r->graph.config.context, &r->state.batch, &waited);
    r->seconds[GG_PHASE_DATA] += waited;
    GG_TRY(status);
    const struct gg_batch batch = local_batch(r, &count);
    gg_watchdog_at("forward and backward", grid ? "one of the grid's (PBLAS, sums over shards)" : NULL);
    gg_model_train(r->model, &batch, loss_scale, hook, &loss);
    sums->loss += loss;
    sums->count += count;
    return GG_OK;
}

/* All micro-batches, one virtual replica's after the other's; the reduction starts during the last one. A rank whose
 * loader fails takes part in the reduction all the same, so that nobody waits for it.
 *   sums [out] (played) */
static gg_status compute_gradients(struct gg_replica *r, gg_loader *loader, struct sums *sums) {
    struct gradient_way way = {r, gg_reducer_hook(r->reducer)};
    const struct gg_gradient_hook hook = {gradients_ready, &way};
    const int64_t accumulation = r->plan.accumulation / r->tree.played;
    gg_status status = GG_OK;
    gg_reducer_begin(r->reducer);
    gg_gradient_tree_begin(&r->tree);
    for (int64_t micro = 0; micro < r->plan.accumulation && status == GG_OK; micro++) {
        if (micro > 0 && micro % accumulation == 0)
            put_away(r);
        status = compute_micro_batch(r, loader, micro == r->plan.accumulation - 1 ? &hook : NULL,
                                     &sums[micro / accumulation]);
    }
    take_up(r, 0);
    gg_watchdog_at("reduce", "sum of the gradients over replicas");
    gg_reducer_finish(r->reducer);
    gg_watchdog_at("reduce", "sum of the vectors' gradients over token shards");
    sum_replicated(r);
    return status;
}

/* The sum of squares of this replica's leaves of the gradients (core/plan/partition.h), each the sum over its buckets,
 * whether it owns the others too or not. */
static double square_sum(const struct gg_replica *r) {
    const struct gg_partition *partition = &r->plan.partition;
    const bool scattered = r->plan.scattered;
    const int played = r->tree.played;
    const int first = gg_summation_position(&partition->summation, r->topology.replica) * played;
    int count;
    const struct gg_owned_range *owned = gg_reducer_owned(r->reducer, &count);
    double *squares = gg_calloc((size_t)played, sizeof *squares);
    for (int leaf = 0; leaf < played; leaf++)
        for (int64_t bucket = 0; bucket < partition->bucket_count; bucket++) {
            const struct gg_range range = gg_partition_leaves(partition, bucket, first + leaf, 1);
            const float *gradients = scattered ? owned[bucket].gradients + (range.from - owned[bucket].from)
                                               : r->state.gradients + range.from;
            squares[leaf] += gg_gradient_square_sum(&r->graph.table, range.from, range.to, gradients);
        }
    const double sum = gg_tree_sum_of(squares, played, 1);
    free(squares);
    return sum;
}

/* What all ranks must know before any may touch the weights: each rank's, then their sums. Squares come from each
 * replica for its leaves, losses from one feature shard. */
struct verdict {
    double loss_sum, count, square_sum, failed, votes[GG_STEP_VOTES];
};
enum { VERDICT_NUMBERS = sizeof(struct verdict) / sizeof(double) };

/* Sums over all ranks in an order of its own: over replicas in the tree's, then over the places of a grid. Squares
 * stand at their positions in it.
 *   all [in] (ranks) */
static struct verdict sum_in_order(const struct gg_replica *r, const struct verdict *all) {
    const struct gg_summation *summation = &r->plan.partition.summation;
    const int replicas = r->topology.replicas, places = r->world->size / replicas;
    struct verdict sum = {0};
    struct verdict *column = gg_calloc((size_t)replicas, sizeof *column);
    for (int place = 0; place < places; place++) {
        for (int d = 0; d < replicas; d++)
            column[d] = all[d * places + place];
        for (int d = 0; d < replicas; d++)
            column[gg_summation_position(summation, d)].square_sum = all[d * places + place].square_sum;
        for (int i = 0; i < VERDICT_NUMBERS; i++)
            ((double *)&sum)[i] += gg_tree_sum_of((const double *)column + i, replicas, VERDICT_NUMBERS);
    }
    free(column);
    return sum;
}

/*   sums [in] (played) */
static struct verdict agree_on_step(const struct gg_replica *r, struct gg_replica_step *step,
                                    gg_status status, const struct sums *sums, double squares) {
    const bool counts = r->topology.shards.feature_index == 0;
    const int played = r->tree.played;
    struct verdict mine = {
        .loss_sum = counts ? gg_tree_sum_of(&sums[0].loss, played, 2) : 0,
        .count = counts ? gg_tree_sum_of(&sums[0].count, played, 2) : 0,
        .square_sum = squares,
        .failed = status != GG_OK,
    };
    struct verdict *all = gg_calloc((size_t)r->world->size, sizeof *all);
    if (step->vote != NULL)
        step->vote(step->context, mine.votes);
    gg_watchdog_at("reduce", "sum of loss and gradient norm over all ranks");
    MPI_Allgather(&mine, VERDICT_NUMBERS, MPI_DOUBLE, all, VERDICT_NUMBERS, MPI_DOUBLE, r->world->comm);
    const struct verdict sum = sum_in_order(r, all);
    free(all);
    return sum;
}

/*   unit [in] what the sums of gradients are multiplied by to be those of the mean */
static void update_weights(struct gg_replica *r, const struct gg_replica_step *step, double unit) {
    const double clip = r->settings->optim.clip;
    const double scale = unit * (clip > 0 && step->grad_norm > clip ? clip / step->grad_norm : 1);
    r->updates++;
    gg_bf16 *rounded = gg_model_rounded_weights(r->model);
    int count;
    const struct gg_owned_range *owned = gg_reducer_owned(r->reducer, &count);
    for (int i = 0; i < count; i++) {
        struct gg_update update = {
            .table = &r->graph.table,
            .from = owned[i].from,
            .to = owned[i].to,
            .learning_rate = step->learning_rate,
            .step = r->updates,
            .gradient_scale = scale,
            .gradients = owned[i].gradients,
            .weights = r->state.weights + owned[i].from,
            .rounded = rounded != NULL ? rounded + owned[i].from : NULL,
        };
        for (int s = 0; s < r->optimizer.kind->state_count; s++)
            update.states[s] = r->state.optimizer[s] + owned[i].at;
        gg_optimizer_update(&r->optimizer, &update);
    }
    gg_reducer_gather(r->reducer, r->state.weights);
    if (r->plan.owned_elements < r->graph.table.trained_elements) /* others updated the rest */
        gg_model_trained_weights_changed(r->model);
}

/* Adds what the model and the reducer measured since `before`. */
static void count_seconds(struct gg_replica *r, double reduce_before) {
    const struct gg_model_times times = gg_model_times(r->model);
    for (int kind = 0; kind < GG_KERNEL_KINDS; kind++) {
        r->kernels.forward[kind] += times.forward[kind];
        r->kernels.backward[kind] += times.backward[kind];
        r->kernels.recompute[kind] += times.recompute[kind];
        r->seconds[GG_PHASE_FORWARD] += times.forward[kind];
        r->seconds[GG_PHASE_BACKWARD] += times.backward[kind] + times.recompute[kind];
    }
    const struct gg_reducer_times reducer = gg_reducer_times(r->reducer);
    r->seconds[GG_PHASE_REDUCE] += reducer.hook + reducer.visible - reduce_before;
    gg_model_times_reset(r->model);
}

gg_status gg_replica_step(struct gg_replica *r, gg_loader *loader, struct gg_replica_step *step) {
    const double begin = gg_clock_seconds();
    const struct gg_reducer_times before = gg_reducer_times(r->reducer);
    struct sums *sums = gg_calloc((size_t)r->tree.played, sizeof *sums);
    gg_model_times_reset(r->model);
    clear_gradients(r);
    const double cleared = gg_clock_seconds();
    const gg_status status = compute_gradients(r, loader, sums);
    const double computed = gg_clock_seconds();
    const double squares = square_sum(r);
    const double squared = gg_clock_seconds();
    const struct verdict verdict = agree_on_step(r, step, status, sums, squares);
    free(sums);
    const double agreed = gg_clock_seconds();
    if (verdict.failed > 0)
        return gg_agree(r->world->comm, status);

    memcpy(step->votes, verdict.votes, sizeof step->votes);
    /* The gradients are those of a mean over all tokens; only now it is known how many count. */
    const double unit = verdict.count > 0 ? (double)r->plan.tokens_per_step / verdict.count : 0;
    step->loss = verdict.count > 0 ? verdict.loss_sum / verdict.count : 0;
    step->grad_norm = unit * sqrt(verdict.square_sum);
    step->skipped = !isfinite(step->loss) || !isfinite(step->grad_norm);
    const double visible = gg_reducer_times(r->reducer).visible;
    gg_watchdog_at("optimizer", r->plan.scattered ? "gathering the weights from the replicas" : NULL);
    if (step->skipped)
        gg_reducer_forget_errors(r->reducer);
    else
        update_weights(r, step, unit);
    const double gathered = gg_reducer_times(r->reducer).visible - visible;
    const double end = gg_clock_seconds();
    count_seconds(r, before.hook + before.visible);
    r->seconds[GG_PHASE_REDUCE] += agreed - squared;
    r->seconds[GG_PHASE_OPTIMIZER] += cleared - begin + squared - computed + end - agreed - gathered;
    step->whole_seconds = end - begin;
    return GG_OK;
}
