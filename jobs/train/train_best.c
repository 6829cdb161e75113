#include "jobs/train/train_best.h"

#include "jobs/train/train_checkpoint.h"
#include "jobs/train/train_report.h"

#include <math.h>
#include <stdlib.h>

static bool compares(const struct gg_settings *settings) {
    return settings->eval.patience > 0 || settings->checkpoint.best;
}

gg_status gg_train_best_check(const struct gg_trainer *t) {
    const struct gg_settings *settings = t->session.settings;
    const char *name = settings->eval.patience > 0 ? "eval.patience" : "checkpoint.best";
    if (compares(settings) && t->session.data.val_corpora == 0)
        return gg_fail(GG_USAGE, "%s compares validations, and there is no data.val", name);
    if (settings->eval.patience > 0 && settings->eval.every_steps == 0)
        return gg_fail(GG_USAGE, "eval.patience counts validations: set eval.every_steps for some to count");
    return GG_OK;
}

void gg_train_best_judge(struct gg_trainer *t) {
    struct gg_checkpoint_meta *at = &t->at;
    if (!compares(t->session.settings)) {
        at->compared = false;
        return;
    }
    if (!at->compared) {
        at->compared = true;
        at->best_step = at->worse_validations = 0;
        at->best_loss = INFINITY;
    }
    t->best_due = at->val_loss < at->best_loss; /* never where it is not a number */
    if (t->best_due) {
        at->best_loss = at->val_loss;
        at->best_step = at->step;
        at->worse_validations = 0;
    } else {
        at->worse_validations++;
    }
}

gg_status gg_train_best_name_again(const struct gg_trainer *t) {
    if (t->resume.path == NULL || !t->at.compared || t->at.best_step != t->at.step ||
        !isfinite(t->at.best_loss))
        return GG_OK;
    char *folder = gg_train_checkpoint_folder(t);
    const gg_status status = gg_checkpoint_name_best(folder, t->at.step);
    free(folder);
    return status;
}

bool gg_train_best_ends(const struct gg_trainer *t) {
    const int64_t patience = t->session.settings->eval.patience;
    return patience > 0 && t->at.compared && t->at.worse_validations >= patience;
}

void gg_train_best_note(struct gg_trainer *t) {
    gg_train_report_note(
        t,
        "stopped early at step %lld: %lld validations without a better loss than %.4f, of step "
        "%lld (eval.patience)",
        (long long)t->at.step, (long long)t->at.worse_validations, t->at.best_loss,
        (long long)t->at.best_step);
}
