#include "jobs/train/run_from.h"

#include "core/base/memory.h"
#include "io/checkpoint/checkpoint.h"
#include "jobs/command/settings.h"
#include "jobs/train/finetune_data.h"
#include "jobs/use/checkpoint_find.h"
#include "mpi/reduce/partition_gather.h"

#include <stdlib.h>
#include <string.h>

/* Whether a given value of a setting is another than the checkpoint's, and shapes the model. */
static bool differs(const struct gg_option *option, const struct gg_settings *settings,
                    const struct gg_settings *theirs) {
    if (!(option->flags & GG_SETTING_SHAPES_MODEL) ||
        (strcmp(option->name, "model.context") == 0 && theirs->model.positions != GG_POSITIONS_LEARNED) ||
        (strcmp(option->name, "model.labels") == 0 &&
         (settings->model.labels.count == 0 || theirs->model.labels.count == 0)) ||
        strcmp(option->name, "model.lm_weight") == 0) /* heads of classes come and go */
        return false;
    char *ours = gg_option_text(option, settings), *held = gg_option_text(option, theirs);
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
        if (strcmp(name, "model.preset") == 0 || strcmp(name, "model.labels") == 0 ||
            strcmp(name, "model.lm_weight") == 0)
            continue;
        if (!preset && !gg_options_given(&gg_settings_table, settings->given, name)) {
            char *text = gg_option_text(option, theirs);
            const gg_status status = gg_settings_set(settings, name, text, path);
            free(text);
            GG_TRY(status);
        }
    }
    /* Compared when all are there: one may stand for another. */
    struct gg_settings whole = *settings, held_whole = *theirs;
    GG_TRY(gg_model_settings_resolve(&whole.model, settings->given));
    whole.model = gg_model_settings_filled(&whole.model);
    held_whole.model = gg_model_settings_filled(&held_whole.model);
    for (size_t i = 0; i < gg_model_setting_rows.count; i++) {
        const struct gg_option *option =
            gg_options_find(&gg_settings_table, gg_model_setting_rows.options[i].name);
        if (!differs(option, &whole, &held_whole))
            continue;
        char *ours = gg_option_text(option, &whole), *held = gg_option_text(option, &held_whole);
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
    gg_status status = gg_checkpoint_check_whole(path, &contents.meta);
    if (status == GG_OK)
        status = gg_settings_read_checkpoint(theirs, yaml, path);
    if (status == GG_OK)
        status = gg_settings_resolve(theirs);
    if (status == GG_OK && theirs->model.vocab == 0)
        theirs->model.vocab = contents.meta.vocab;
    gg_checkpoint_contents_free(&contents);
    return status;
}

gg_status gg_run_from_settings(struct gg_settings *settings) {
    const char *name, *from = gg_settings_from(settings, &name);
    if (from == NULL)
        return GG_OK;
    struct gg_settings theirs;
    char *path = NULL, *different = NULL;
    gg_settings_init(&theirs);
    gg_status status = gg_checkpoint_find(from, &path);
    if (status == GG_OK)
        status = read_settings(path, &theirs);
    if (status != GG_OK)
        gg_fail_within(status, "%s", name);
    if (status == GG_OK && settings->finetune.from != NULL)
        status = gg_finetune_settings_fill(settings, &theirs);
    if (status == GG_OK)
        status = adopt(settings, &theirs, path, &different);
    if (status == GG_OK && different != NULL)
        status = gg_fail(GG_USAGE, "%s: %s holds a model of another shape: %s; leave these settings away",
                         name, path, different);
    free(different);
    free(path);
    gg_settings_free(&theirs);
    return status;
}

/* Where the weights are: as run.from tells, or where adapters that are gone on with had them. A path that the
 * checkpoints of adapters keep is to be found from anywhere. */
static gg_status find_file(struct gg_trainer *t) {
    const char *name, *from = gg_settings_from(t->session.settings, &name);
    char *found = NULL;
    GG_TRY(gg_checkpoint_find(from != NULL ? from : t->resume.kept_base, &found));
    if (t->session.settings->lora.rank > 0)
        t->resume.from = realpath(found, NULL);
    if (t->resume.from == NULL)
        t->resume.from = gg_strdup(found);
    free(found);
    return GG_OK;
}

/* The path that rank 0 finds, on every rank. */
static gg_status find(struct gg_trainer *t) {
    const struct gg_world *world = t->session.world;
    GG_TRY(gg_agree(world->comm, world->rank == 0 ? find_file(t) : GG_OK));
    gg_broadcast_text(world->comm, &t->resume.from);
    return GG_OK;
}

static gg_status check(struct gg_trainer *t, const struct gg_checkpoint_contents *contents) {
    const struct gg_checkpoint_meta *meta = &contents->meta;
    const struct gg_checkpoint_meta kept = {.base_checksum = t->resume.kept_checksum};
    const char *name;
    gg_settings_from(t->session.settings, &name);
    GG_TRY(gg_checkpoint_check_whole(t->resume.from, meta));
    if (t->resume.path != NULL)
        GG_TRY(gg_checkpoint_check_base(t->resume.path, &kept, t->resume.from, contents));
    t->resume.from_checksum = gg_checkpoint_weights_checksum(contents);
    /* Without a tokenizer of its own, it takes the data's. */
    if (meta->tokenizer_json != NULL && meta->tokenizer_fingerprint != t->session.data.tokenizer_fingerprint)
        return gg_fail(
            GG_BAD_DATA,
            "%s: %s has another tokenizer than the shards of data.train; prepare them with that of the checkpoint",
            name, t->resume.from);
    return GG_OK;
}

gg_status gg_run_from_find(struct gg_trainer *t) {
    const bool adapters = t->session.settings->lora.rank > 0, resumes = t->resume.path != NULL;
    if (t->resume.from != NULL || (resumes && !adapters))
        return GG_OK;
    const char *name;
    if (gg_settings_from(t->session.settings, &name) == NULL && t->resume.kept_base == NULL)
        return !adapters ? GG_OK
                         : gg_fail(GG_USAGE,
                                   "finetune.lora.rank %lld: adapters stand beside the weights of a "
                                   "checkpoint; name it in run.from",
                                   (long long)t->session.settings->lora.rank);
    GG_TRY(find(t));
    struct gg_checkpoint_contents contents;
    const gg_status opened = gg_checkpoint_open(t->session.world->comm, t->resume.from, &contents);
    if (opened != GG_OK && resumes)
        return gg_fail_within(opened,
                              "the weights that the adapters stand beside (run.from tells where they are)");
    GG_TRY(opened);
    const gg_status status = check(t, &contents);
    gg_checkpoint_contents_free(&contents);
    return status;
}

static bool holds(const struct gg_checkpoint_contents *contents, const char *name) {
    for (int i = 0; i < contents->count; i++)
        if (strcmp(contents->tensors[i].group, "model") == 0 && strcmp(contents->tensors[i].name, name) == 0)
            return true;
    return false;
}

/* The parameters that a checkpoint to begin with has: what adapters stand beside, or all; a head of classes only where
 * it is there, also beside adapters. Free with gg_parameter_table_free. */
static void held_parameters(const struct gg_parameter_table *table, bool adapters,
                            const struct gg_checkpoint_contents *contents, struct gg_parameter_table *held) {
    *held = *table;
    held->items = gg_malloc(((size_t)table->count + 1) * sizeof *held->items);
    held->count = 0;
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *p = &table->items[i];
        const bool score = strcmp(p->name, "score.weight") == 0;
        if (score ? holds(contents, p->name) : !adapters || !p->trained)
            held->items[held->count++] = *p;
    }
}

/* All of the flat buffer is shared out, of which what is trained is a part. */
gg_status gg_run_from_read(struct gg_trainer *t) {
    struct gg_replica *r = &t->session.replica;
    const struct gg_partition partition =
        gg_partition_cut(r->graph.table.local_elements, GG_BUCKET_BYTES, &r->plan.partition.summation);
    struct gg_parameter_table table;
    struct gg_checkpoint_contents contents;
    GG_TRY(gg_checkpoint_open(r->world->comm, t->resume.from, &contents));
    struct gg_range *ranges = gg_malloc((size_t)partition.bucket_count * sizeof *ranges);
    gg_partition_ranges(&partition, r->topology.replica, ranges);
    held_parameters(&r->graph.table, t->session.settings->lora.rank > 0, &contents, &table);
    gg_checkpoint_contents_free(&contents);
    const struct gg_checkpoint_share weights = {.table = &table,
                                                .ranges = ranges,
                                                .range_count = gg_int(partition.bucket_count),
                                                .values = {r->state.weights},
                                                /* of an untied model that tells classes alone from now on */
                                                .unused =
                                                    r->graph.config.classes_only ? "lm_head.weight" : NULL};
    const gg_status status = gg_checkpoint_read_share(t->session.world->comm, t->resume.from, &weights);
    if (status == GG_OK)
        gg_partition_gather(&partition, r->topology.across_replicas, r->state.weights);
    gg_parameter_table_free(&table);
    free(ranges);
    return status;
}
