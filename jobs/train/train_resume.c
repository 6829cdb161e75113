#include "jobs/train/train_resume.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/run/run_lock.h"
#include "jobs/launch/stop_agreement.h"
#include "jobs/launch/stop_signal.h"
#include "jobs/launch/storage_patience.h"
#include "jobs/train/run_from.h"
#include "jobs/train/train_checkpoint.h"
#include "mpi/reduce/partition_gather.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a killed run may take to die. */
static const double lock_seconds = 10;

/* Appends "name new (was old)" to a list of such, with a comma between. */
static void append_difference(char **list, const char *name, const char *now, const char *was) {
    char *longer = gg_format("%s%s%s %s (was %s)", *list != NULL ? *list : "", *list != NULL ? ", " : "",
                             name, now[0] != '\0' ? now : "unset", was[0] != '\0' ? was : "unset");
    free(*list);
    *list = longer;
}

/* The failure of settings that the run cannot go on with; GG_OK when there are none of them. */
static gg_status refuse_changes(const char *path, const char *shape, const char *fixed) {
    if (shape != NULL)
        return gg_fail(
            GG_USAGE,
            "%s holds a model of another shape: %s; use its settings, or another run.dir for a new run", path,
            shape);
    if (fixed != NULL)
        return gg_fail(GG_USAGE,
                       "%s cannot be gone on from with %s: one optimizer cannot take over another's states; "
                       "use its settings, or another run.dir for a new run",
                       path, fixed);
    return GG_OK;
}

/* Compares the settings with the checkpoint's: those that a resumed run may not change must be the same. */
static gg_status compare_settings(const struct gg_trainer *t, const struct gg_checkpoint_meta *meta,
                                  char **changed) {
    struct gg_settings old;
    char *shape = NULL, *fixed = NULL;
    gg_settings_init(&old);
    gg_status status = gg_settings_read_checkpoint(&old, meta->settings_yaml, t->resume.path);
    /* What is the default is no other shape when it is written out. */
    struct gg_settings now = *t->session.settings;
    now.model = gg_model_settings_filled(&now.model);
    old.model = gg_model_settings_filled(&old.model);
    for (size_t i = 0; status == GG_OK && i < gg_settings_table.count; i++) {
        const struct gg_option *option = &gg_settings_table.options[i];
        char *is = gg_option_text(option, &now), *was = gg_option_text(option, &old);
        if (strcmp(is, was) != 0 && strcmp(option->name, "model.preset") != 0)
            append_difference(option->flags & GG_SETTING_SHAPES_MODEL ? &shape
                              : option->flags & GG_SETTING_FIXED      ? &fixed
                                                                      : changed,
                              option->name, is, was);
        free(is);
        free(was);
    }
    gg_settings_free(&old);
    if (status == GG_OK)
        status = refuse_changes(t->resume.path, shape, fixed);
    free(shape);
    free(fixed);
    return status;
}

/* The states are those of the optimizer set, which is the one that the checkpoint's settings name, of every
 * tensor. */
static gg_status compare_optimizer(const struct gg_trainer *t,
                                   const struct gg_checkpoint_contents *contents) {
    const struct gg_optimizer_kind *set = t->session.replica.optimizer.kind;
    if (gg_checkpoint_state_count(contents) == 0)
        return gg_fail(
            GG_BAD_DATA,
            "%s holds weights alone, and a run cannot go on from them; to begin one with them, set "
            "run.from to it and run.dir to a new folder",
            t->resume.path);
    if (gg_checkpoint_optimizer(contents) != set)
        return gg_fail(GG_BAD_DATA,
                       "%s does not hold the states of %s, which its settings name (gridgpt inspect lists "
                       "those that it has)",
                       t->resume.path, set->name);
    const struct gg_parameter_table *table = &t->session.replica.graph.table;
    int expected = 0;
    for (int i = 0; i < table->count; i++)
        expected += table->items[i].trained ? 1 + set->state_count : 0;
    if (contents->count != expected)
        return gg_fail(GG_BAD_DATA, "%s has %d tensors, and this model with its optimizer has %d",
                       t->resume.path, contents->count, expected);
    return GG_OK;
}

static gg_status compare(const struct gg_trainer *t, const struct gg_checkpoint_contents *contents,
                         char **changed) {
    const struct gg_checkpoint_meta *meta = &contents->meta;
    if (meta->tokenizer_fingerprint != t->session.data.tokenizer_fingerprint)
        return gg_fail(GG_BAD_DATA, "%s was trained with another tokenizer than the shards of data.train",
                       t->resume.path);
    GG_TRY(compare_settings(t, meta, changed));
    GG_TRY(compare_optimizer(t, contents));
    if (meta->data_fingerprint != t->session.data.data_fingerprint)
        append_difference(changed, "the training shards", "other files", "those of the checkpoint");
    return GG_OK;
}

/* Rank 0: a checkpoint that cannot be used. Its name is kept for set_aside(), which puts `ending` behind it.
 */
static void reject(struct gg_trainer *t, const char *path, const char *ending) {
    fprintf(stderr, "warning: not used: %s\n", gg_failure());
    struct gg_train_resume *resume = &t->resume;
    resume->rejected =
        gg_realloc(resume->rejected, (size_t)(resume->rejected_count + 1) * sizeof *resume->rejected);
    resume->rejected[resume->rejected_count++] = (struct gg_rejected_checkpoint){gg_strdup(path), ending};
}

static bool is_rejected(const struct gg_trainer *t, const char *path) {
    for (int i = 0; i < t->resume.rejected_count; i++)
        if (strcmp(t->resume.rejected[i].path, path) == 0)
            return true;
    return false;
}

/* PATH.ENDING, or where there is such a file already PATH.ENDING.2 and so on; owned by the caller. */
static char *free_name(const char *path, const char *ending) {
    char *name = gg_format("%s.%s", path, ending);
    for (int i = 2; gg_file_exists(name); i++) {
        free(name);
        name = gg_format("%s.%s.%d", path, ending, i);
    }
    return name;
}

/* Rank 0: once it is clear where the run goes on, files that are not what their names say lose these. */
static gg_status set_aside(struct gg_trainer *t) {
    for (int i = 0; i < t->resume.rejected_count; i++) {
        const char *path = t->resume.rejected[i].path;
        char *name = free_name(path, t->resume.rejected[i].ending);
        const bool renamed = rename(path, name) == 0 || errno == ENOENT;
        const gg_status status =
            renamed ? GG_OK
                    : gg_fail(GG_STORAGE, "%s: cannot be renamed to %s: %s", path, name, strerror(errno));
        if (renamed)
            fprintf(stderr, "%s: set aside as %s\n", path, name);
        free(name);
        GG_TRY(status);
    }
    return GG_OK;
}

/* Rank 0: whether a checkpoint's metadata are in order and are of the step that its name tells. One that was
 * renamed would put the run back to another step than it says, and would never grow old. */
static gg_status check_candidate(const struct gg_checkpoint_file *file, const char **ending) {
    struct gg_checkpoint_contents contents;
    *ending = "damaged";
    gg_status status = gg_checkpoint_examine(file->path, &contents);
    if (status == GG_OK && contents.meta.step != file->step) {
        *ending = "misnamed";
        status = gg_fail(GG_BAD_DATA, "%s: is named for step %lld and holds step %lld", file->path,
                         (long long)file->step, (long long)contents.meta.step);
    }
    gg_checkpoint_contents_free(&contents);
    return status;
}

/* Rank 0: the newest checkpoint of a step below `limit` that can be used; NULL: none. A storage that fails
 * tells nothing about a file: GG_STORAGE or GG_RESOURCE then. */
static gg_status find_newest(struct gg_trainer *t, const char *folder, int64_t limit, char **path) {
    struct gg_checkpoint_list list;
    *path = NULL;
    GG_TRY(gg_checkpoint_list(folder, &list));
    gg_status status = GG_OK;
    for (int i = list.count - 1; *path == NULL && status == GG_OK && i >= 0; i--) {
        const char *ending;
        if (list.items[i].step >= limit || is_rejected(t, list.items[i].path))
            continue;
        status = check_candidate(&list.items[i], &ending);
        if (status == GG_OK)
            *path = gg_strdup(list.items[i].path);
        else if (status == GG_BAD_DATA) {
            reject(t, list.items[i].path, ending);
            status = GG_OK;
        }
    }
    gg_checkpoint_list_free(&list);
    if (status == GG_OK && *path == NULL && t->resume.rejected_count > 0 && !t->session.settings->run.restart)
        status = gg_fail(GG_BAD_DATA,
                         "none of the %d checkpoints in %s can be used (said above); set run.restart=true to "
                         "train again from step 0, or another run.dir",
                         t->resume.rejected_count, folder);
    return status;
}

/* Looks for a checkpoint of a step below `limit`, and takes over where it stands. */
static gg_status find(struct gg_trainer *t, int64_t limit) {
    struct gg_train_resume *resume = &t->resume;
    free(resume->path);
    free(resume->changed);
    free(resume->kept_base);
    resume->path = resume->changed = resume->kept_base = NULL;
    char *folder = gg_train_checkpoint_folder(t);
    gg_status status = GG_OK;
    if (t->session.world->rank == 0)
        status = find_newest(t, folder, limit, &resume->path);
    free(folder);
    GG_TRY(gg_agree(t->session.world->comm, status));
    gg_broadcast_text(t->session.world->comm, &resume->path);
    t->saved_step = -1;
    resume->step = 0;
    resume->seconds = 0;
    t->at = (struct gg_checkpoint_meta){.train_loss = NAN, .val_loss = NAN};
    if (resume->path == NULL)
        return GG_OK;

    struct gg_checkpoint_contents contents;
    GG_TRY(gg_checkpoint_open(t->session.world->comm, resume->path, &contents));
    status = gg_agree(t->session.world->comm, compare(t, &contents, &resume->changed));
    if (status == GG_OK) {
        t->at = contents.meta;
        t->at.settings_yaml = NULL;
        t->at.tokenizer_json = NULL;
        t->at.base_path = NULL;
        resume->kept_base = contents.meta.base_path; /* taken over */
        resume->kept_checksum = contents.meta.base_checksum;
        contents.meta.base_path = NULL;
        t->session.replica.updates = t->at.updates;
        resume->step = t->saved_step = t->at.step;
        resume->seconds = t->at.train_seconds;
    }
    gg_checkpoint_contents_free(&contents);
    return status;
}

/* Rank 0: makes the run folder, and keeps other jobs out of it. */
static gg_status take_folder(struct gg_trainer *t) {
    char *folder = gg_train_checkpoint_folder(t);
    gg_status status = gg_checkpoint_check_folder(folder);
    if (status != GG_OK)
        gg_fail_within(status, "run.dir");
    if (status == GG_OK)
        status = gg_folder_create(folder);
    if (status == GG_OK)
        status =
            gg_run_lock_take(t->session.settings->run.dir, lock_seconds, gg_stop_requested, &t->resume.lock);
    t->resume.locked = status == GG_OK;
    if (status != GG_OK && gg_stop_requested())
        status = gg_stop_fail_at_start();
    free(folder);
    return status;
}

/* Removes what a killed run left half-written, and looks for the newest checkpoint. */
static gg_status find_in_folder(struct gg_trainer *t, int64_t limit) {
    gg_status status = GG_OK;
    if (t->session.world->rank == 0) {
        char *folder = gg_train_checkpoint_folder(t);
        status = gg_checkpoint_remove_temporaries(folder);
        free(folder);
    }
    GG_TRY(gg_agree(t->session.world->comm, status));
    return find(t, limit);
}

/* The same, while storage fails again and again. */
static gg_status find_patiently(struct gg_trainer *t, int64_t limit) {
    struct gg_storage_patience patience = {0};
    gg_status status;
    do
        status = find_in_folder(t, limit);
    while (gg_storage_patience_again(t->session.world, status, &patience));
    return status;
}

gg_status gg_train_resume_find(struct gg_trainer *t) {
    GG_TRY(gg_agree(t->session.world->comm, t->session.world->rank == 0 ? take_folder(t) : GG_OK));
    GG_TRY(find_patiently(t, INT64_MAX));
    gg_replica_plan(&t->session.replica, (int)t->at.reproducible);
    t->at.reproducible = t->session.replica.plan.reproducible;
    return gg_run_from_find(t);
}

/* Every replica reads its share; then an all-gather gives each what it needs of the others'. */
static gg_status read_state(struct gg_trainer *t) {
    struct gg_storage_patience patience = {0};
    gg_status status;
    do
        status = gg_checkpoint_read_share(t->session.world->comm, t->resume.path, &t->share);
    while (gg_storage_patience_again(t->session.world, status, &patience));
    GG_TRY(status);
    for (int g = 0; g < 1 + t->share.optimizer->state_count; g++)
        if (!t->share.compact[g])
            gg_partition_gather(&t->session.replica.plan.partition,
                                t->session.replica.topology.across_replicas, t->share.values[g]);
    return GG_OK;
}

static gg_status begin_anew(struct gg_trainer *t) {
    const size_t bytes = (size_t)t->session.replica.plan.owned_elements * sizeof(float);
    /* Padding too, which no file has. */
    gg_parameters_initialise(&t->trained, (uint64_t)t->session.settings->run.seed,
                             t->session.replica.state.weights);
    for (int s = 0; s < t->share.optimizer->state_count; s++)
        gg_zero(t->session.replica.state.optimizer[s], bytes);
    GG_TRY(gg_run_from_find(t));
    return t->resume.from != NULL ? gg_run_from_read(t) : GG_OK;
}

gg_status gg_train_resume_read(struct gg_trainer *t) {
    if (t->resume.path != NULL && t->resume.from != NULL)
        GG_TRY(gg_run_from_read(t)); /* what adapters stand beside; their own state comes over it */
    while (t->resume.path != NULL) {
        const gg_status status = read_state(t);
        if (status == GG_OK)
            break;
        if (status != GG_BAD_DATA)
            return status;
        if (t->session.world->rank == 0)
            reject(t, t->resume.path, "damaged");
        GG_TRY(find_patiently(t, t->resume.step));
    }
    if (t->resume.path == NULL)
        GG_TRY(begin_anew(t));
    t->at.reproducible = t->session.replica.plan.reproducible; /* planned; an older file may tell another */
    return gg_agree(t->session.world->comm, t->session.world->rank == 0 ? set_aside(t) : GG_OK);
}

void gg_train_resume_free(struct gg_trainer *t) {
    struct gg_train_resume *resume = &t->resume;
    for (int i = 0; i < resume->rejected_count; i++)
        free(resume->rejected[i].path);
    free(resume->rejected);
    free(resume->path);
    free(resume->from);
    free(resume->kept_base);
    free(resume->changed);
    if (resume->locked)
        gg_run_lock_release(&resume->lock);
    *resume = (struct gg_train_resume){0};
}
