#include "jobs/train/train_step.h"

#include "core/base/clock.h"
#include "core/optim/schedule.h"
#include "jobs/launch/stop_signal.h"

#include <string.h>

/* What rides on the step's agreement. */
enum { VOTE_STOP, VOTE_TIME_IS_UP, VOTE_CHECKPOINT_DUE, VOTE_WRITING };
_Static_assert(VOTE_WRITING + 1 == GG_STEP_VOTES, "each vote has its place");

static void vote(void *context, double votes[GG_STEP_VOTES]) {
    const struct gg_trainer *t = context;
    const bool root = t->session.world->rank == 0;
    const double minutes = t->session.settings->checkpoint.every_minutes, now = gg_clock_seconds();
    votes[VOTE_STOP] = gg_stop_requested();
    votes[VOTE_TIME_IS_UP] = root && gg_time_limit_reached(&t->time_limit, now);
    votes[VOTE_CHECKPOINT_DUE] = root && minutes > 0 && now - t->checkpoint_clock >= 60 * minutes;
    votes[VOTE_WRITING] = !gg_checkpoint_writer_ended(t->writer);
}

/* What the step took goes to the line of metrics that comes next. */
static void take_seconds(struct gg_trainer *t) {
    struct gg_replica *r = &t->session.replica;
    for (int phase = 0; phase < GG_STEP_PHASES; phase++)
        t->seconds[phase] += r->seconds[phase];
    memset(r->seconds, 0, sizeof r->seconds);
}

gg_status gg_train_step(struct gg_trainer *t, struct gg_step_result *result) {
    const struct gg_settings *settings = t->session.settings;
    struct gg_replica_step step = {.learning_rate = gg_learning_rate(&settings->optim, settings->run.steps,
                                                                     t->at.step + 1),
                                   .vote = vote,
                                   .context = t};
    GG_TRY(gg_replica_step(&t->session.replica, t->session.data.train, &step));
    *result = (struct gg_step_result){
        .loss = step.loss,
        .grad_norm = step.grad_norm,
        .learning_rate = step.learning_rate,
        .skipped = step.skipped,
        .stop = step.votes[VOTE_STOP] > 0 || step.votes[VOTE_TIME_IS_UP] > 0,
        .time_is_up = step.votes[VOTE_TIME_IS_UP] > 0,
        .checkpoint_due = step.votes[VOTE_CHECKPOINT_DUE] > 0,
        .checkpoint_ended = gg_checkpoint_writer_busy(t->writer) && step.votes[VOTE_WRITING] == 0,
        .whole_seconds = step.whole_seconds,
    };
    take_seconds(t);
    t->at.updates = t->session.replica.updates;
    t->at.bad_steps = result->skipped ? t->at.bad_steps + 1 : 0;
    t->at.train_loss = result->loss;
    t->at.step++;
    t->at.consumed_samples += settings->batch.sequences;
    t->at.consumed_tokens += t->session.replica.plan.tokens_per_step;
    t->at.train_seconds += result->whole_seconds;
    return GG_OK;
}
