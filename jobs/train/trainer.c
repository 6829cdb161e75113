#include "jobs/train/trainer.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/plan/legality.h"
#include "io/base/file.h"
#include "jobs/launch/blas_note.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/launch/reduction_driver.h"
#include "jobs/launch/stop_agreement.h"
#include "jobs/launch/stop_signal.h"
#include "jobs/launch/watchdog.h"
#include "jobs/train/train_checkpoint.h"
#include "jobs/train/train_report.h"
#include "jobs/train/train_resume.h"
#include "jobs/train/train_step.h"
#include "jobs/use/evaluation.h"

#include "mpi/reduce/replicated.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* The rate of matrix multiplies, and whether it is what the machine should have. */
static gg_status measure_machine(struct gg_trainer *t, enum gg_precision precision) {
    GG_TRY(gg_gemm_rate_measure(t->world->comm, precision, &t->gemm));
    if (t->use == GG_TRAINER_RUN && !t->cores.oversubscribed)
        gg_launch_check_gemm(t->world, &t->gemm);
    gg_blas_note(t->world, &t->gemm, t->topology.shards.feature_shards * t->topology.shards.token_shards > 1);
    return GG_OK;
}

/* The weights and two moments. */
static size_t checkpoint_bytes(const struct gg_graph *graph) {
    return 3 * sizeof(float) * (size_t)gg_graph_parameter_count(graph);
}

/* Between the parts of a start, each of which may take a while: whether to go on with it. */
static gg_status go_on(const struct gg_trainer *t) {
    return gg_stop_agree_at_start(t->world->comm);
}

/* Everything that can be wrong is found here, before the model is allocated. */
static gg_status prepare(struct gg_trainer *t) {
    const struct gg_settings *settings = t->settings;
    GG_TRY(go_on(t));
    GG_TRY(gg_launch_check_cores(t->world, omp_get_max_threads(), &t->cores));
    GG_TRY(gg_agree(t->world->comm, gg_time_limit_start(&t->time_limit, settings->run.max_minutes)));
    struct gg_place place;
    enum gg_precision precision;
    GG_TRY(gg_precision_choose(t->world, (enum gg_precision)settings->compute.precision,
                               (enum gg_fallback)settings->compute.fallback, &precision));
    const struct gg_plan_request request = gg_settings_plan_request(settings);
    GG_TRY(gg_legality_grid(&request, t->world->size, t->world->rank, &place));
    gg_topology_create(t->world, &place, &t->topology);
    GG_TRY(gg_legality_batch(&settings->batch, &place));
    GG_TRY(gg_train_data_open(t->world, settings, t->use == GG_TRAINER_RUN, &t->data));
    GG_TRY(go_on(t));
    struct gg_model_config config;
    GG_TRY(gg_model_configure(&settings->model, &settings->compute, settings->run.seed, t->data.vocab,
                              &t->topology.shards, &config));
    config.precision = precision;
    gg_graph_make(&config, &t->topology.shards, &t->graph);
    if (t->use == GG_TRAINER_RUN)
        GG_TRY(gg_train_resume_find(t));
    GG_TRY(go_on(t));
    GG_TRY(gg_reduction_driver_choose(t->world, settings, &t->topology, &t->cores, &t->reduction_thread));
    GG_TRY(measure_machine(t, precision));
    GG_TRY(go_on(t));
    gg_time_limit_expect(&t->time_limit, checkpoint_bytes(&t->graph));
    gg_plan_make(&request, &t->graph, &place,
                 t->use == GG_TRAINER_RUN && gg_train_checkpoint_behind(settings), &t->plan);
    t->tokens_per_epoch = gg_loader_samples(t->data.train) * t->graph.config.context;
    gg_train_memory_measure(t->world, &t->plan, settings, &t->data, t->gemm.scratch_bytes, &t->memory);
    return GG_OK;
}

static gg_status allocate(struct gg_trainer *t) {
    const struct gg_plan_request request = gg_settings_plan_request(t->settings);
    gg_state_lay_out(&request, &t->graph, &t->plan, &t->arena, &t->state);
    GG_TRY(gg_agree(t->world->comm, gg_arena_allocate(&t->arena, GG_TRAIN_STATE_NAME)));
    gg_state_lay_out(&request, &t->graph, &t->plan, &t->arena, &t->state);
    GG_TRY(gg_agree(t->world->comm, gg_grid_create(t->topology.grid, t->topology.shards.feature_shards,
                                                   t->topology.shards.token_shards,
                                                   gg_int(t->settings->parallel.block), &t->grid)));
    t->fabric = *gg_grid_fabric(t->grid);
    GG_TRY(gg_agree(t->world->comm,
                    gg_model_create(&t->graph, &t->fabric, GG_MODEL_TRAIN, t->plan.local_sequences,
                                    t->state.weights, t->state.gradients, &t->gpt)));
    const struct gg_reducer_options reduction = {.bucket_bytes = GG_BUCKET_BYTES,
                                                 .scatter = t->settings->parallel.zero > 0,
                                                 .thread = t->reduction_thread,
                                                 .thread_cores = &t->cores.allowed};
    GG_TRY(
        gg_agree(t->world->comm, gg_reducer_create(t->topology.across_replicas, t->state.gradients,
                                                   t->graph.table.local_elements, &reduction, &t->reducer)));
    return t->use == GG_TRAINER_RUN ? gg_train_checkpoint_prepare(t) : GG_OK;
}

/* Rank 0: the run folder, the resolved settings, metrics.jsonl. */
static gg_status open_run_folder(struct gg_trainer *t) {
    const char *dir = t->settings->run.dir;
    char *settings = gg_format("%s/settings.yaml", dir);
    char *metrics = gg_format("%s/metrics.jsonl", dir), *yaml = gg_settings_yaml(t->settings);
    gg_status status = gg_file_write(settings, yaml, strlen(yaml));
    if (status == GG_OK)
        status = gg_metrics_open(metrics, t->resume.path != NULL ? t->resume.step : -1, &t->metrics);
    free(settings);
    free(metrics);
    free(yaml);
    return status;
}

static gg_status start(struct gg_trainer *t) {
    if (t->use == GG_TRAINER_RUN) {
        GG_TRY(gg_train_resume_read(t));
        GG_TRY(gg_agree(t->world->comm, t->world->rank == 0 ? open_run_folder(t) : GG_OK));
    } else {
        gg_parameters_initialise(&t->graph.table, (uint64_t)t->settings->run.seed, t->state.weights);
    }
    gg_model_weights_changed(t->gpt);
    const struct gg_loader_plan plan = {.consumed = t->at.consumed_samples,
                                        .sequences = t->settings->batch.sequences,
                                        .micro = t->settings->batch.micro,
                                        .replica = t->topology.replica,
                                        .replicas = t->topology.replicas};
    return gg_agree(t->world->comm, gg_loader_start(t->data.train, &plan));
}

gg_status gg_trainer_create(const struct gg_world *world, const struct gg_settings *settings,
                            enum gg_trainer_use use, struct gg_trainer *t) {
    t->use = use;
    t->world = world;
    t->settings = settings;
    t->at.train_loss = t->at.val_loss = NAN;
    gg_status status = prepare(t);
    if (status == GG_OK && use == GG_TRAINER_RUN)
        gg_train_report_plan(t);
    if (status == GG_OK)
        status = gg_train_memory_check_limits(world, &t->graph, &t->memory);
    if (status == GG_OK)
        status = allocate(t);
    if (status == GG_OK)
        status = go_on(t);
    if (status == GG_OK)
        status = start(t);
    if (status == GG_OK)
        status = go_on(t);
    if (status == GG_OK && use == GG_TRAINER_RUN) {
        gg_train_report_begin(t);
        t->checkpoint_clock = gg_clock_seconds();
    }
    return status;
}

void gg_trainer_destroy(struct gg_trainer *t) {
    gg_train_checkpoint_free(t);
    if (t->metrics != NULL && gg_metrics_close(&t->metrics) != GG_OK)
        fprintf(stderr, "warning: %s\n", gg_failure());
    gg_reducer_destroy(&t->reducer);
    gg_model_destroy(&t->gpt);
    gg_grid_destroy(&t->grid);
    gg_arena_free(&t->arena);
    gg_graph_free(&t->graph);
    gg_train_data_close(&t->data);
    gg_topology_free(&t->topology);
    gg_train_resume_free(t);
}

/* GG_STOPPED: it was left, and no loss of a validation is known then. The checkpoint keeps that, so that the
 * next start makes up for it. */
static gg_status validate(struct gg_trainer *t) {
    const struct gg_evaluator evaluator = {.comm = t->world->comm,
                                           .replica = t->topology.replica,
                                           .replicas = t->topology.replicas,
                                           .fabric = &t->fabric,
                                           .gpt = t->gpt,
                                           .context = t->graph.config.context,
                                           .micro = t->settings->batch.micro,
                                           .stop = gg_stop_requested};
    struct gg_evaluation evaluation;
    gg_watchdog_at("validation", "sum of the losses over all ranks");
    gg_watchdog_await(GG_WATCHED_LONG);
    t->at.val_loss = NAN;
    const gg_status status = gg_evaluate(&evaluator, t->data.val, t->settings->eval.sequences, &evaluation);
    gg_model_times_reset(t->gpt);
    GG_TRY(status);
    t->seconds[GG_PHASE_EVAL] += evaluation.seconds;
    gg_time_limit_eval(&t->time_limit, evaluation.seconds);
    t->at.val_loss = evaluation.loss;
    return GG_OK;
}

/* Metrics that cannot be written are no reason to end a run; its end tells of lines that are lost for good.
 */
static void report(struct gg_trainer *t, const struct gg_step_result *result, bool validated) {
    const bool failed = gg_train_report_step(t, result, validated ? &t->at.val_loss : NULL) != GG_OK;
    if (failed && !t->metrics_failed)
        gg_train_report_note(t, "warning: %s; the run goes on, and writes its lines when it can",
                             gg_failure());
    if (!failed && t->metrics_failed)
        gg_train_report_note(t, "metrics.jsonl is written again");
    t->metrics_failed = failed;
    const char *notice = t->metrics != NULL ? gg_metrics_notice(t->metrics) : NULL;
    if (notice != NULL)
        gg_train_report_note(t, "warning: %s/metrics.jsonl %s", t->settings->run.dir, notice);
}

static bool every(int64_t interval, int64_t step) {
    return interval > 0 && step % interval == 0;
}

/* Whether a validation belongs behind the step that the run stands at. */
static bool validation_is_due(const struct gg_trainer *t) {
    const int64_t step = t->at.step;
    return t->data.val != NULL &&
           (step == 0 || step == t->settings->run.steps || every(t->settings->eval.every_steps, step));
}

/* After a step: validates, reports, saves, as due. A stop that is asked for in the validation counts as one
 * in the step. */
static gg_status after_step(struct gg_trainer *t, struct gg_step_result *result) {
    const struct gg_settings *settings = t->settings;
    const int64_t step = t->at.step;
    const bool last = step == settings->run.steps;
    if (result->checkpoint_ended)
        gg_train_checkpoint_settle(t);
    const bool due = validation_is_due(t);
    const gg_status validated = due ? validate(t) : GG_OK;
    if (validated != GG_STOPPED)
        GG_TRY(validated);
    result->validation_left = validated == GG_STOPPED;
    result->stop = result->stop || result->validation_left;
    report(t, result, due && !result->validation_left);
    if (t->at.bad_steps >= settings->run.max_bad_steps)
        return gg_fail(
            GG_FAILED,
            "loss or gradient was not finite in the last %lld steps, to step %lld; lower optim.lr, raise "
            "optim.warmup or look at the data. The newest checkpoint is of step %lld",
            (long long)t->at.bad_steps, (long long)step, (long long)(t->saved_step < 0 ? 0 : t->saved_step));
    if (last || result->stop)
        return gg_train_checkpoint_save(t);
    if (result->checkpoint_due || every(settings->checkpoint.every_steps, step)) {
        gg_train_checkpoint_begin(t);
        if (!gg_train_checkpoint_behind(settings))
            gg_train_checkpoint_settle(t);
    }
    return GG_OK;
}

/* The validation before the first step, or the one that the run before this left. */
static gg_status validate_at_start(struct gg_trainer *t) {
    const gg_status status = validate(t);
    if (status == GG_STOPPED)
        return gg_stop_fail_at_start();
    GG_TRY(status);
    report(t, NULL, true);
    if (t->at.step < t->settings->run.steps)
        return GG_OK;
    t->saved_step = -1; /* the run's last checkpoint is the one with the loss */
    return gg_train_checkpoint_save(t);
}

static gg_status train(struct gg_trainer *t) {
    const int64_t steps = t->settings->run.steps;
    const bool awaited = validation_is_due(t) && isnan(t->at.val_loss);
    if (t->at.step > steps || (t->at.step == steps && !awaited)) {
        gg_train_report_note(t, "nothing to do: the checkpoint is of step %lld and run.steps is %lld",
                             (long long)t->at.step, (long long)steps);
        return GG_OK;
    }
    if (awaited)
        GG_TRY(validate_at_start(t));
    while (t->at.step < steps) {
        struct gg_step_result result;
        gg_watchdog_await(GG_WATCHED_STEP);
        GG_TRY(gg_train_step(t, &result));
        gg_watchdog_step(t->at.step, result.whole_seconds);
        gg_time_limit_step(&t->time_limit, result.whole_seconds);
        GG_TRY(after_step(t, &result));
        if (result.stop && (t->at.step < steps || result.validation_left))
            return gg_fail(GG_STOPPED, "stopped %s at step %lld of %lld; the same command goes on from there",
                           result.time_is_up ? "before its time is up" : "on request", (long long)t->at.step,
                           (long long)steps);
    }
    return GG_OK;
}

/* How the run ended, or, where that is well, that metrics are lost. Collective. */
static gg_status close_metrics(struct gg_trainer *t, gg_status status) {
    char *failure = gg_strdup(gg_failure());
    const gg_status closed = gg_agree(t->world->comm, gg_metrics_close(&t->metrics));
    if (status != GG_OK) {
        if (closed != GG_OK)
            gg_train_report_note(t, "warning: %s", gg_failure());
        gg_fail(status, "%s", failure);
    }
    free(failure);
    return status != GG_OK ? status : closed;
}

gg_status gg_trainer_run(struct gg_trainer *t) {
    const gg_status status = train(t);
    gg_train_report_end(t);
    return close_metrics(t, status);
}
