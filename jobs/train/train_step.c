#include "jobs/train/train_step.h"

#include "core/base/clock.h"
#include "core/optim/gradient_norm.h"
#include "core/optim/optimizer.h"
#include "core/optim/schedule.h"
#include "jobs/launch/stop_signal.h"
#include "jobs/launch/watchdog.h"
#include "mpi/reduce/replicated.h"

#include <math.h>

const char *const gg_phase_names[GG_PHASES] = {"data",      "forward", "backward",  "reduce",
                                               "optimizer", "eval",    "checkpoint"};

static void clear_gradients(struct gg_trainer *t) {
    float *gradients = t->state.gradients;
    const int64_t count = t->graph.table.local_elements;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++)
        gradients[i] = 0;
}

/* This rank's sequences of the micro-batch that was loaded. */
static struct gg_batch local_batch(const struct gg_trainer *t) {
    const int64_t first = t->topology.shards.token_index * t->plan.local_sequences;
    return (struct gg_batch){
        .sequences = t->plan.local_sequences,
        .time = t->graph.config.context,
        .inputs = t->state.inputs + first * t->graph.config.context,
        .targets = t->state.targets + first * t->graph.config.context,
        .sample_ids = t->state.sample_ids + first,
    };
}

/* Vectors stand on every token shard, each with its tokens' share. */
static void sum_replicated(struct gg_trainer *t) {
    int count;
    const struct gg_owned_range *owned = gg_reducer_owned(t->reducer, &count);
    if (t->topology.shards.token_shards == 1)
        return;
    const double begin = gg_clock_seconds();
    gg_replicated_sum(gg_grid_token_comm(t->grid), &t->graph.table, owned, count, t->state.replicated);
    t->seconds[GG_PHASE_REDUCE] += gg_clock_seconds() - begin;
}

/* Forward and backward over all micro-batches; the reduction starts during the last one. A rank whose loader
 * fails takes part in the reduction all the same, so that nobody waits for it. */
static gg_status compute_gradients(struct gg_trainer *t, double *loss_sum) {
    const float loss_scale = (float)(1.0 / (double)t->plan.tokens_per_step);
    const struct gg_gradient_hook hook = gg_reducer_hook(t->reducer);
    gg_status status = GG_OK;
    const bool grid = t->topology.shards.feature_shards * t->topology.shards.token_shards > 1;
    *loss_sum = 0;
    gg_reducer_begin(t->reducer);
    for (int64_t micro = 0; micro < t->plan.accumulation && status == GG_OK; micro++) {
        double waited = 0, sum = 0;
        gg_watchdog_at("waiting for data", grid ? "agreement of the grid's ranks on the batch" : NULL);
        status = gg_agree(t->topology.grid, gg_loader_next(t->data.train, t->state.inputs, t->state.targets,
                                                           t->state.sample_ids, &waited));
        t->seconds[GG_PHASE_DATA] += waited;
        if (status != GG_OK)
            break;
        const struct gg_batch batch = local_batch(t);
        gg_watchdog_at("forward and backward", grid ? "one of the grid's (PBLAS, sums over shards)" : NULL);
        gg_model_train(t->gpt, &batch, loss_scale, micro == t->plan.accumulation - 1 ? &hook : NULL, &sum);
        *loss_sum += sum;
    }
    gg_watchdog_at("reduce", "sum of the gradients over replicas");
    gg_reducer_finish(t->reducer);
    gg_watchdog_at("reduce", "sum of the vectors' gradients over token shards");
    sum_replicated(t);
    return status;
}

/* The sum of squares of this replica's parts of the gradients: of every bucket a D-th, whether it owns the
 * others too or not. */
static double square_sum(const struct gg_trainer *t) {
    const struct gg_partition *partition = &t->plan.partition;
    const bool scattered = t->settings->parallel.zero > 0;
    if (t->topology.replicas == 1)
        return gg_gradient_square_sum(&t->graph.table, 0, t->graph.table.local_elements, t->state.gradients);
    int count;
    const struct gg_owned_range *owned = gg_reducer_owned(t->reducer, &count);
    double sum = 0;
    for (int64_t bucket = 0; bucket < partition->bucket_count; bucket++) {
        const struct gg_range part = gg_partition_part(partition, bucket, t->topology.replica);
        sum += gg_gradient_square_sum(&t->graph.table, part.from, part.to,
                                      scattered ? owned[bucket].gradients : t->state.gradients + part.from);
    }
    return sum;
}

/* What all ranks must know before any may touch the weights, in one allreduce. Squares come from each replica
 * for its parts, losses from one feature shard. */
struct verdict {
    double loss_sum, square_sum, failed, stop, time_is_up, checkpoint_due, writing;
};

static struct verdict agree_on_step(const struct gg_trainer *t, gg_status status, double loss_sum,
                                    double squares) {
    const double minutes = t->settings->checkpoint.every_minutes;
    struct verdict mine = {
        .loss_sum = t->topology.shards.feature_index == 0 ? loss_sum : 0,
        .square_sum = squares,
        .failed = status != GG_OK,
        .stop = gg_stop_requested(),
        .time_is_up = t->world->rank == 0 && gg_time_limit_reached(&t->time_limit, gg_clock_seconds()),
        .checkpoint_due =
            t->world->rank == 0 && minutes > 0 && gg_clock_seconds() - t->checkpoint_clock >= 60 * minutes,
        .writing = t->writer != NULL && !gg_checkpoint_writer_ended(t->writer),
    };
    struct verdict all;
    gg_watchdog_at("reduce", "sum of loss and gradient norm over all ranks");
    MPI_Allreduce(&mine, &all, sizeof mine / sizeof(double), MPI_DOUBLE, MPI_SUM, t->world->comm);
    return all;
}

static void update_weights(struct gg_trainer *t, struct gg_step_result *result) {
    const double clip = t->settings->optim.clip;
    const double scale = clip > 0 && result->grad_norm > clip ? clip / result->grad_norm : 1;
    const struct gg_optimizer optimizer = gg_optimizer_make(&t->settings->optim);
    t->at.updates++;
    gg_bf16 *rounded = gg_model_rounded_weights(t->gpt);
    int count;
    const struct gg_owned_range *owned = gg_reducer_owned(t->reducer, &count);
    for (int i = 0; i < count; i++) {
        struct gg_update update = {
            .table = &t->graph.table,
            .from = owned[i].from,
            .to = owned[i].to,
            .learning_rate = result->learning_rate,
            .step = t->at.updates,
            .gradient_scale = scale,
            .gradients = owned[i].gradients,
            .weights = t->state.weights + owned[i].from,
            .rounded = rounded != NULL ? rounded + owned[i].from : NULL,
        };
        for (int s = 0; s < optimizer.kind->state_count; s++)
            update.states[s] = t->state.optimizer[s] + owned[i].at;
        gg_optimizer_update(&optimizer, &update);
    }
    gg_reducer_gather(t->reducer, t->state.weights);
    if (t->plan.owned_elements < t->graph.table.local_elements) /* others updated the rest */
        gg_model_weights_changed(t->gpt);
}

/* Adds what the model and the reducer measured since `before`. */
static void count_seconds(struct gg_trainer *t, double reduce_before) {
    const struct gg_model_times times = gg_model_times(t->gpt);
    for (int kind = 0; kind < GG_KERNEL_KINDS; kind++) {
        t->kernels.forward[kind] += times.forward[kind];
        t->kernels.backward[kind] += times.backward[kind];
        t->kernels.recompute[kind] += times.recompute[kind];
        t->seconds[GG_PHASE_FORWARD] += times.forward[kind];
        t->seconds[GG_PHASE_BACKWARD] += times.backward[kind] + times.recompute[kind];
    }
    const struct gg_reducer_times reducer = gg_reducer_times(t->reducer);
    t->seconds[GG_PHASE_REDUCE] += reducer.hook + reducer.visible - reduce_before;
    gg_model_times_reset(t->gpt);
}

gg_status gg_train_step(struct gg_trainer *t, struct gg_step_result *result) {
    const double begin = gg_clock_seconds();
    const struct gg_reducer_times before = gg_reducer_times(t->reducer);
    double loss_sum;
    gg_model_times_reset(t->gpt);
    clear_gradients(t);
    const double cleared = gg_clock_seconds();
    const gg_status status = compute_gradients(t, &loss_sum);
    const double computed = gg_clock_seconds();
    const double squares = square_sum(t);
    const double squared = gg_clock_seconds();
    const struct verdict verdict = agree_on_step(t, status, loss_sum, squares);
    const double agreed = gg_clock_seconds();
    if (verdict.failed > 0)
        return gg_agree(t->world->comm, status);

    *result = (struct gg_step_result){
        .loss = verdict.loss_sum / (double)t->plan.tokens_per_step,
        .grad_norm = sqrt(verdict.square_sum),
        .learning_rate = gg_learning_rate(&t->settings->optim, t->settings->run.steps, t->at.step + 1),
        .stop = verdict.stop > 0 || verdict.time_is_up > 0,
        .time_is_up = verdict.time_is_up > 0,
        .checkpoint_due = verdict.checkpoint_due > 0,
        .checkpoint_ended = t->writer != NULL && gg_checkpoint_writer_busy(t->writer) && verdict.writing == 0,
    };
    result->skipped = !isfinite(result->loss) || !isfinite(result->grad_norm);
    const double visible = gg_reducer_times(t->reducer).visible;
    gg_watchdog_at("optimizer",
                   t->settings->parallel.zero > 0 ? "gathering the weights from the replicas" : NULL);
    if (!result->skipped)
        update_weights(t, result);
    const double gathered = gg_reducer_times(t->reducer).visible - visible;
    t->at.bad_steps = result->skipped ? t->at.bad_steps + 1 : 0;
    t->at.train_loss = result->loss;
    t->at.step++;
    t->at.consumed_samples += t->settings->batch.sequences;
    t->at.consumed_tokens += t->plan.tokens_per_step;

    const double end = gg_clock_seconds();
    count_seconds(t, before.hook + before.visible);
    t->seconds[GG_PHASE_REDUCE] += agreed - squared;
    t->seconds[GG_PHASE_OPTIMIZER] += cleared - begin + squared - computed + end - agreed - gathered;
    result->whole_seconds = end - begin;
    t->at.train_seconds += result->whole_seconds;
    return GG_OK;
}
