#include "jobs/train/run_from.h"

#include "core/base/memory.h"
#include "io/checkpoint/checkpoint.h"
#include "jobs/command/settings.h"
#include "jobs/use/checkpoint_find.h"
#include "mpi/reduce/partition_gather.h"

#include <stdlib.h>
#include <string.h>

/* Whether a given value of a setting is another than the checkpoint's, and shapes the model. Values that stand for
 * others are compared as these. */
static bool differs(const struct gg_option *option, const struct gg_settings *settings,
                    const struct gg_settings *theirs) {
    struct gg_settings a = *settings, b = *theirs;
    a.model = gg_model_settings_filled(&settings->model);
    b.model = gg_model_settings_filled(&theirs->model);
    if (!(option->flags & GG_SETTING_SHAPES_MODEL) ||
        (strcmp(option->name, "model.context") == 0 && theirs->model.positions != GG_POSITIONS_LEARNED))
        return false;
    char *ours = gg_option_text(option, &a), *held = gg_option_text(option, &b);
    const bool different = strcmp(ours, held) != 0;
    free(ours);
    free(held);
    return different;
}

/* Takes over what was not given; what was given otherwise is listed. */
static gg_status adopt(struct gg_settings *settings, const struct gg_settings *theirs, const char *path,
                       char **different) {
    const bool preset = settings->model.preset != 0;
    for (size_t i = 0; i < gg_model_setting_rows.count; i++) {
        const char *name = gg_model_setting_rows.options[i].name;
        const struct gg_option *option = gg_options_find(&gg_settings_table, name);
        if (strcmp(name, "model.preset") == 0)
            continue;
        if (!preset && !gg_options_given(&gg_settings_table, settings->given, name)) {
            char *text = gg_option_text(option, theirs);
            const gg_status status = gg_settings_set(settings, name, text, path);
            free(text);
            GG_TRY(status);
        }
    }
    /* Compared when all are there: one may stand for another. */
    struct gg_settings whole = *settings;
    GG_TRY(gg_model_settings_resolve(&whole.model, settings->given));
    for (size_t i = 0; i < gg_model_setting_rows.count; i++) {
        const struct gg_option *option =
            gg_options_find(&gg_settings_table, gg_model_setting_rows.options[i].name);
        if (!differs(option, &whole, theirs))
            continue;
        char *ours = gg_option_text(option, &whole), *held = gg_option_text(option, theirs);
        char *longer = gg_format("%s%s%s %s (there %s)", *different != NULL ? *different : "",
                                 *different != NULL ? ", " : "", option->name, ours, held);
        free(*different);
        *different = longer;
        free(ours);
        free(held);
    }
    return GG_OK;
}

/* The settings of a checkpoint, resolved; its vocabulary stands in model.vocab. */
static gg_status read_settings(const char *path, struct gg_settings *theirs) {
    struct gg_checkpoint_contents contents;
    GG_TRY(gg_checkpoint_examine(path, &contents));
    const char *yaml = contents.meta.settings_yaml;
    gg_status status = gg_settings_read_checkpoint(theirs, yaml, path);
    if (status == GG_OK)
        status = gg_settings_resolve(theirs);
    if (status == GG_OK && theirs->model.vocab == 0)
        theirs->model.vocab = contents.meta.vocab;
    gg_checkpoint_contents_free(&contents);
    return status;
}

gg_status gg_run_from_settings(struct gg_settings *settings) {
    if (settings->run.from == NULL)
        return GG_OK;
    struct gg_settings theirs;
    char *path = NULL, *different = NULL;
    gg_settings_init(&theirs);
    gg_status status = gg_checkpoint_find(settings->run.from, &path);
    if (status == GG_OK)
        status = read_settings(path, &theirs);
    if (status == GG_OK)
        status = adopt(settings, &theirs, path, &different);
    if (status == GG_OK && different != NULL)
        status = gg_fail(GG_USAGE, "%s holds a model of another shape: %s; leave these settings away", path,
                         different);
    if (status != GG_OK)
        gg_fail_within(status, "run.from");
    free(different);
    free(path);
    gg_settings_free(&theirs);
    return status;
}

/* The path that rank 0 finds, on every rank. */
static gg_status find(struct gg_trainer *t) {
    const struct gg_world *world = t->session.world;
    gg_status status = GG_OK;
    if (world->rank == 0)
        status = gg_checkpoint_find(t->session.settings->run.from, &t->resume.from);
    GG_TRY(gg_agree(world->comm, status));
    gg_broadcast_text(world->comm, &t->resume.from);
    return GG_OK;
}

gg_status gg_run_from_find(struct gg_trainer *t) {
    if (t->session.settings->run.from == NULL || t->resume.path != NULL || t->resume.from != NULL)
        return GG_OK;
    GG_TRY(find(t));
    struct gg_checkpoint_contents contents;
    GG_TRY(gg_checkpoint_open(t->session.world->comm, t->resume.from, &contents));
    const struct gg_checkpoint_meta *meta = &contents.meta;
    gg_status status = GG_OK;
    /* Without a tokenizer of its own, it takes the data's. */
    if (meta->tokenizer_json != NULL && meta->tokenizer_fingerprint != t->session.data.tokenizer_fingerprint)
        status = gg_fail(
            GG_BAD_DATA,
            "run.from: %s has another tokenizer than the shards of data.train; prepare them with that of "
            "the checkpoint",
            t->resume.from);
    gg_checkpoint_contents_free(&contents);
    return status;
}

gg_status gg_run_from_read(struct gg_trainer *t) {
    struct gg_checkpoint_share weights = t->share;
    weights.optimizer = NULL;
    GG_TRY(gg_checkpoint_read_share(t->session.world->comm, t->resume.from, &weights));
    if (!weights.compact[0])
        gg_partition_gather(&t->session.replica.plan.partition, t->session.replica.topology.across_replicas,
                            weights.values[0]);
    return GG_OK;
}
