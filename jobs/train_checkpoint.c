#include "jobs/train_checkpoint.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "io/file.h"
#include "io/settings_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *checkpoint_folder(const struct gg_trainer *t) {
    return gg_format("%s/checkpoints", t->settings->run.dir);
}

/* Rank 0's string on every rank; NULL stays NULL. */
static void broadcast_text(const struct gg_world *world, char **text) {
    int64_t bytes = *text != NULL ? (int64_t)strlen(*text) + 1 : 0;
    MPI_Bcast(&bytes, 1, MPI_INT64_T, 0, world->comm);
    if (bytes == 0)
        return;
    if (world->rank != 0)
        *text = gg_malloc((size_t)bytes);
    MPI_Bcast(*text, gg_int(bytes), MPI_CHAR, 0, world->comm);
}

/* A setting's value as text, owned by the caller. */
static char *value_text(const struct gg_option *option, const struct gg_settings *settings) {
    const size_t bytes = gg_options_format(option, settings, NULL, 0) + 1;
    char *text = gg_malloc(bytes);
    gg_options_format(option, settings, text, bytes);
    return text;
}

static bool shapes_model(const char *name) {
    static const char *const names[] = {"model.layers", "model.heads", "model.width", "model.context",
                                        "model.vocab"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Appends "name new (was old)" to a list of such, with a comma between. */
static void append_difference(char **list, const char *name, const char *now, const char *was) {
    char *longer = gg_format("%s%s%s %s (was %s)", *list != NULL ? *list : "", *list != NULL ? ", " : "",
                             name, now[0] != '\0' ? now : "unset", was[0] != '\0' ? was : "unset");
    free(*list);
    *list = longer;
}

/* Compares the settings with the checkpoint's: what shapes the model must be the same. */
static gg_status compare_settings(const struct gg_trainer *t, const struct gg_checkpoint_meta *meta,
                                  char **changed) {
    struct gg_settings old;
    char *shape = NULL;
    gg_settings_init(&old);
    gg_status status =
        gg_settings_read_text(&old, meta->settings_yaml, strlen(meta->settings_yaml), t->resume_path);
    for (size_t i = 0; status == GG_OK && i < gg_settings_table.count; i++) {
        const struct gg_option *option = &gg_settings_table.options[i];
        char *now = value_text(option, t->settings), *was = value_text(option, &old);
        if (strcmp(now, was) != 0 && strcmp(option->name, "model.preset") != 0)
            append_difference(shapes_model(option->name) ? &shape : changed, option->name, now, was);
        free(now);
        free(was);
    }
    gg_settings_free(&old);
    if (shape != NULL)
        status = gg_fail(
            GG_USAGE,
            "%s holds a model of another shape: %s; use its settings, or another run.dir for a new run",
            t->resume_path, shape);
    free(shape);
    return status;
}

static gg_status compare(const struct gg_trainer *t, const struct gg_checkpoint_contents *contents,
                         char **changed) {
    const struct gg_checkpoint_meta *meta = &contents->meta;
    if (meta->tokenizer_fingerprint != t->data.tokenizer_fingerprint)
        return gg_fail(GG_BAD_DATA, "%s was trained with another tokenizer than the shards of data.train",
                       t->resume_path);
    GG_TRY(compare_settings(t, meta, changed));
    if (contents->count != 3 * t->table.count)
        return gg_fail(GG_BAD_DATA,
                       "%s has %d tensors and this model with its optimizer has %d; a run cannot go on "
                       "from weights alone",
                       t->resume_path, contents->count, 3 * t->table.count);
    if (meta->data_fingerprint != t->data.data_fingerprint)
        append_difference(changed, "the training shards", "other files", "those of the checkpoint");
    return GG_OK;
}

gg_status gg_train_resume_find(struct gg_trainer *t, char **changed) {
    char *folder = checkpoint_folder(t);
    *changed = NULL;
    gg_status status = GG_OK;
    if (t->world->rank == 0)
        status = gg_checkpoint_newest(folder, &t->resume_path);
    free(folder);
    GG_TRY(gg_agree(t->world->comm, status));
    broadcast_text(t->world, &t->resume_path);
    t->saved_step = -1;
    if (t->resume_path == NULL)
        return GG_OK;

    struct gg_checkpoint_contents contents;
    GG_TRY(gg_checkpoint_open(t->world->comm, t->resume_path, &contents));
    status = gg_agree(t->world->comm, compare(t, &contents, changed));
    if (status == GG_OK) {
        t->at = contents.meta;
        t->at.settings_yaml = NULL;
        t->at.tokenizer_json = NULL;
        t->resume_step = t->saved_step = t->at.step;
        t->resume_seconds = t->at.train_seconds;
    }
    gg_checkpoint_contents_free(&contents);
    return status;
}

/* Buffers for whole moments, laid out as the weights: the moments themselves where this replica owns all of
 * them; with ZeRO the gradients, which are free between steps, and a buffer of their size. */
struct whole_moments {
    float *first, *second;
    void *allocated;
};

static gg_status take_moments(struct gg_trainer *t, struct whole_moments *whole) {
    *whole = (struct whole_moments){t->first, t->second, NULL};
    if (t->plan.ownership.elements == t->table.local_elements)
        return GG_OK;
    const size_t bytes = (size_t)t->table.local_elements * sizeof(float);
    GG_TRY(gg_agree(t->world->comm, gg_try_malloc(bytes, "a checkpoint's moments", &whole->allocated)));
    whole->first = t->gradients;
    whole->second = whole->allocated;
    return GG_OK;
}

gg_status gg_train_resume_read(struct gg_trainer *t) {
    struct whole_moments whole;
    GG_TRY(take_moments(t, &whole));
    const gg_status status = gg_checkpoint_read(t->topology.grid, t->resume_path, &t->table, t->weights,
                                                whole.first, whole.second);
    if (whole.allocated != NULL) {
        gg_reducer_take_compact(t->reducer, whole.first, t->first);
        gg_reducer_take_compact(t->reducer, whole.second, t->second);
        free(whole.allocated);
    }
    return gg_agree(t->world->comm, status);
}

/* The first replica's part of saving. */
static gg_status write_checkpoint(struct gg_trainer *t, const char *folder,
                                  const struct whole_moments *whole) {
    struct gg_checkpoint_meta meta = t->at;
    char *path = gg_checkpoint_path(folder, t->at.step), *yaml = gg_settings_yaml(t->settings);
    meta.run_seed = t->settings->run.seed;
    meta.data_seed = t->settings->data.seed;
    meta.vocab = t->config.vocab;
    meta.data_fingerprint = t->data.data_fingerprint;
    meta.tokenizer_fingerprint = t->data.tokenizer_fingerprint;
    meta.settings_yaml = yaml;
    meta.tokenizer_json = t->data.tokenizer_json;
    meta.tokenizer_bytes = t->data.tokenizer_bytes;
    gg_status status = gg_checkpoint_write(t->topology.grid, path, &t->table, t->weights, whole->first,
                                           whole->second, &meta);
    if (status == GG_OK && t->world->rank == 0)
        status = gg_checkpoint_prune(folder, t->settings->checkpoint.keep);
    free(path);
    free(yaml);
    return status;
}

gg_status gg_train_checkpoint_save(struct gg_trainer *t) {
    if (t->saved_step == t->at.step)
        return GG_OK;
    const double begin = gg_clock_seconds();
    char *folder = checkpoint_folder(t);
    struct whole_moments whole;
    gg_status status = take_moments(t, &whole);
    if (status == GG_OK) {
        if (whole.allocated != NULL) {
            gg_reducer_gather_compact(t->reducer, t->first, whole.first);
            gg_reducer_gather_compact(t->reducer, t->second, whole.second);
        }
        if (t->topology.replica == 0)
            status = write_checkpoint(t, folder, &whole);
        free(whole.allocated);
    }
    free(folder);
    status = gg_agree(t->world->comm, status);
    t->checkpoint_clock = gg_clock_seconds();
    t->seconds[GG_PHASE_CHECKPOINT] += t->checkpoint_clock - begin;
    if (status == GG_OK)
        t->saved_step = t->at.step;
    return status;
}
