#include "jobs/train/trainer.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/model/graph_figures.h"
#include "io/base/file.h"
#include "jobs/launch/stop_agreement.h"
#include "jobs/launch/stop_signal.h"
#include "jobs/launch/watchdog.h"
#include "jobs/train/train_best.h"
#include "jobs/train/train_checkpoint.h"
#include "jobs/train/train_report.h"
#include "jobs/train/train_resume.h"
#include "jobs/train/train_step.h"
#include "jobs/use/evaluation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is trained, and the optimizer's states. */
static size_t checkpoint_bytes(const struct gg_replica *r) {
    return (size_t)(1 + r->optimizer.kind->state_count) * sizeof(float) *
           (size_t)gg_graph_trained_count(&r->graph);
}

/* Everything that can be wrong is found here, before the model is allocated. */
static gg_status prepare(struct gg_trainer *t, const struct gg_world *world,
                         const struct gg_settings *settings) {
    GG_TRY(gg_agree(world->comm, gg_time_limit_start(&t->time_limit, settings->run.max_minutes)));
    GG_TRY(gg_session_open(world, settings, true, gg_train_checkpoint_behind(settings), &t->session));
    GG_TRY(gg_agree(world->comm, gg_train_best_check(t)));
    GG_TRY(gg_train_tasks_open(&t->session, &t->tasks));
    t->session.evaluation_bytes = t->tasks.bytes;
    GG_TRY(gg_train_resume_find(t));
    GG_TRY(gg_session_measure(&t->session));
    if (!t->session.cores.oversubscribed)
        gg_launch_check_gemm(world, &t->session.gemm);
    gg_time_limit_expect(&t->time_limit, checkpoint_bytes(&t->session.replica));
    return GG_OK;
}

/* Rank 0: the run folder, the resolved settings, metrics.jsonl. */
static gg_status open_run_folder(struct gg_trainer *t) {
    const char *dir = t->session.settings->run.dir;
    char *settings = gg_format("%s/settings.yaml", dir);
    char *metrics = gg_format("%s/metrics.jsonl", dir), *yaml = gg_settings_yaml(t->session.settings);
    gg_status status = gg_file_write(settings, yaml, strlen(yaml));
    if (status == GG_OK)
        status = gg_metrics_open(metrics, t->resume.path != NULL ? t->resume.step : -1, &t->metrics);
    if (status == GG_OK)
        status = gg_train_best_name_again(t);
    free(settings);
    free(metrics);
    free(yaml);
    return status;
}

/* Takes over where the run stands. */
static gg_status start(struct gg_trainer *t) {
    GG_TRY(gg_train_checkpoint_prepare(t));
    GG_TRY(gg_train_resume_read(t));
    GG_TRY(gg_agree(t->session.world->comm, t->session.world->rank == 0 ? open_run_folder(t) : GG_OK));
    t->tasks_scored = t->metrics != NULL && gg_metrics_has_tasks(t->metrics);
    MPI_Bcast(&t->tasks_scored, 1, MPI_C_BOOL, 0, t->session.world->comm);
    gg_model_weights_changed(t->session.replica.model);
    return gg_session_start(&t->session, t->at.consumed_samples);
}

gg_status gg_trainer_create(const struct gg_world *world, const struct gg_settings *settings,
                            struct gg_trainer *t) {
    t->at.train_loss = t->at.val_loss = NAN;
    GG_TRY(prepare(t, world, settings));
    gg_train_report_plan(t);
    GG_TRY(gg_session_allocate(&t->session));
    GG_TRY(start(t));
    gg_train_report_begin(t);
    t->checkpoint_clock = gg_clock_seconds();
    return GG_OK;
}

void gg_trainer_destroy(struct gg_trainer *t) {
    gg_train_checkpoint_free(t);
    if (t->metrics != NULL && gg_metrics_close(&t->metrics) != GG_OK)
        fprintf(stderr, "warning: %s\n", gg_failure());
    gg_train_tasks_close(&t->tasks);
    gg_session_close(&t->session);
    gg_class_figures_free(&t->val_classes);
    gg_train_resume_free(t);
}

/* The losses of all corpora, and their mean. */
static gg_status evaluate_corpora(struct gg_trainer *t, const struct gg_evaluator *evaluator,
                                  struct gg_evaluation *all) {
    for (int c = 0; c < t->session.data.val_corpora; c++) {
        struct gg_evaluation one;
        GG_TRY(gg_evaluate(evaluator, t->session.data.val[c], t->session.settings->eval.sequences, &one));
        t->val_losses[c] = one.loss;
        all->count += one.count;
        all->loss += (one.loss - all->loss) * (one.count / all->count);
        all->seconds += one.seconds;
    }
    return GG_OK;
}

/* The losses, and the tasks. GG_STOPPED: it was left, and no loss of a validation is known then. The checkpoint keeps
 * that, or the metrics do where there are tasks alone, so that the next start makes up for it. */
static gg_status validate(struct gg_trainer *t) {
    const struct gg_replica *r = &t->session.replica;
    const int64_t classes = r->graph.config.classes;
    int64_t *confusion = classes > 0 ? gg_calloc((size_t)(classes * classes), sizeof *confusion) : NULL;
    const struct gg_evaluator evaluator = {.replica = r,
                                           .model = r->model,
                                           .micro = t->session.settings->batch.micro,
                                           .marked = r->plan.marked,
                                           .confusion = confusion,
                                           .stop = gg_stop_requested};
    struct gg_evaluation all = {0};
    const double begin = gg_clock_seconds();
    gg_watchdog_at("validation", "sum of the losses over all ranks");
    gg_watchdog_await(GG_WATCHED_LONG);
    t->at.val_loss = NAN;
    gg_status status = evaluate_corpora(t, &evaluator, &all);
    gg_class_figures_free(&t->val_classes);
    gg_class_figures_of(confusion, classes, &t->val_classes);
    if (status == GG_OK)
        status = gg_train_tasks_score(&t->session, &t->tasks);
    gg_model_times_reset(t->session.replica.model);
    GG_TRY(status);
    const double seconds = gg_clock_seconds() - begin;
    t->seconds[GG_PHASE_EVAL] += seconds;
    gg_time_limit_eval(&t->time_limit, seconds);
    if (t->session.data.val_corpora == 0)
        return GG_OK;
    t->at.val_loss = all.loss;
    gg_train_best_judge(t);
    return GG_OK;
}

/* Text that the model writes, where it is due. */
static gg_status write_texts(struct gg_trainer *t) {
    const double begin = gg_clock_seconds();
    gg_watchdog_at("writing text", NULL);
    gg_watchdog_await(GG_WATCHED_LONG);
    GG_TRY(gg_train_tasks_write(&t->session, &t->tasks));
    t->seconds[GG_PHASE_EVAL] += gg_clock_seconds() - begin;
    return GG_OK;
}

/* Metrics that cannot be written are no reason to end a run; its end tells of lines that are lost for good.
 */
static void report(struct gg_trainer *t, const struct gg_step_result *result, bool validated) {
    const double *val_loss = validated && t->session.data.val_corpora > 0 ? &t->at.val_loss : NULL;
    const bool failed = gg_train_report_step(t, result, val_loss) != GG_OK;
    if (failed && !t->metrics_failed)
        gg_train_report_note(t, "warning: %s; the run goes on, and writes its lines when it can",
                             gg_failure());
    if (!failed && t->metrics_failed)
        gg_train_report_note(t, "metrics.jsonl is written again");
    t->metrics_failed = failed;
    const char *notice = t->metrics != NULL ? gg_metrics_notice(t->metrics) : NULL;
    if (notice != NULL)
        gg_train_report_note(t, "warning: %s/metrics.jsonl %s", t->session.settings->run.dir, notice);
}

static bool every(int64_t interval, int64_t step) {
    return interval > 0 && step % interval == 0;
}

/* Whether a validation belongs behind the step that the run stands at. */
static bool validation_is_due(const struct gg_trainer *t) {
    const int64_t step = t->at.step;
    return (t->session.data.val_corpora > 0 || t->tasks.count > 0) &&
           (step == 0 || step == t->session.settings->run.steps ||
            every(t->session.settings->eval.every_steps, step));
}

/* Whether one that was due when the run before this ended has yet to be made. */
static bool validation_is_awaited(const struct gg_trainer *t) {
    return validation_is_due(t) &&
           (t->session.data.val_corpora > 0 ? isnan(t->at.val_loss) : !t->tasks_scored);
}

/* After a step: validates, reports, saves, as due; the best checkpoint is of the step whose validation it was. A stop that is asked for in the validation counts as one
 * in the step. */
static gg_status after_step(struct gg_trainer *t, struct gg_step_result *result) {
    const struct gg_settings *settings = t->session.settings;
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
    if (every(settings->eval.sample_every, step)) /* also where the run ends: nobody makes up for it */
        GG_TRY(write_texts(t));
    report(t, result, due && !result->validation_left);
    if (t->at.bad_steps >= settings->run.max_bad_steps)
        return gg_fail(
            GG_FAILED,
            "loss or gradient was not finite in the last %lld steps, to step %lld; lower optim.lr, raise "
            "optim.warmup or look at the data. The newest checkpoint is of step %lld",
            (long long)t->at.bad_steps, (long long)step, (long long)(t->saved_step < 0 ? 0 : t->saved_step));
    if (last || result->stop || gg_train_best_ends(t))
        return gg_train_checkpoint_save(t);
    if (t->best_due || result->checkpoint_due || every(settings->checkpoint.every_steps, step)) {
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
    if (t->at.step < t->session.settings->run.steps && !t->best_due && !gg_train_best_ends(t))
        return GG_OK;
    t->saved_step = -1; /* the run's last checkpoint, and the best, is the one with the loss */
    return gg_train_checkpoint_save(t);
}

static gg_status train(struct gg_trainer *t) {
    const int64_t steps = t->session.settings->run.steps;
    if (gg_train_best_ends(t)) {
        gg_train_report_note(t, "nothing to do; a larger eval.patience goes on");
        gg_train_best_note(t);
        return GG_OK;
    }
    const bool awaited = validation_is_awaited(t);
    if (t->at.step > steps || (t->at.step == steps && !awaited)) {
        gg_train_report_note(t, "nothing to do: the checkpoint is of step %lld and run.steps is %lld",
                             (long long)t->at.step, (long long)steps);
        return GG_OK;
    }
    if (awaited)
        GG_TRY(validate_at_start(t));
    while (t->at.step < steps && !gg_train_best_ends(t)) {
        struct gg_step_result result;
        gg_watchdog_await(GG_WATCHED_STEP);
        GG_TRY(gg_train_step(t, &result));
        gg_watchdog_step(t->at.step, result.whole_seconds);
        gg_time_limit_step(&t->time_limit, result.whole_seconds);
        GG_TRY(after_step(t, &result));
        if (result.stop && !gg_train_best_ends(t) && (t->at.step < steps || result.validation_left))
            return gg_fail(GG_STOPPED, "stopped %s at step %lld of %lld; the same command goes on from there",
                           result.time_is_up ? "before its time is up" : "on request", (long long)t->at.step,
                           (long long)steps);
    }
    if (gg_train_best_ends(t) && t->at.step < steps)
        gg_train_best_note(t);
    return GG_OK;
}

/* How the run ended, or, where that is well, that metrics are lost. Collective. */
static gg_status close_metrics(struct gg_trainer *t, gg_status status) {
    char *failure = gg_strdup(gg_failure());
    const gg_status closed = gg_agree(t->session.world->comm, gg_metrics_close(&t->metrics));
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
