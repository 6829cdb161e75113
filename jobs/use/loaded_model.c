#include "jobs/use/loaded_model.h"

#include "core/base/memory.h"
#include "io/checkpoint/adapters.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/use/checkpoint_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A checkpoint that was chosen by its name must be what that says; one that the user named may be called
 * anything. */
static gg_status check_name(const char *path, const struct gg_loaded_model *m) {
    const int64_t named = gg_checkpoint_named_step(m->path), step = m->contents.meta.step;
    if (strcmp(path, m->path) == 0 || named == step)
        return GG_OK;
    return gg_fail(GG_BAD_DATA,
                   "%s: is named for step %lld and holds step %lld; give the file itself to use it", m->path,
                   (long long)named, (long long)step);
}

static gg_status read_texts(const char *grid, int64_t micro, struct gg_loaded_model *m) {
    const struct gg_checkpoint_meta *meta = &m->contents.meta;
    GG_TRY(gg_settings_read_checkpoint(&m->settings, meta->settings_yaml, m->path));
    GG_TRY(gg_settings_resolve(&m->settings));
    GG_TRY(gg_settings_set(&m->settings, "parallel.grid", grid, "--grid"));
    m->settings.batch.micro = micro;
    if (meta->tokenizer_json == NULL)
        return GG_OK;
    return gg_tokenizer_from_json(meta->tokenizer_json, meta->tokenizer_bytes, m->path, &m->tokenizer);
}

/* Whether the weights that adapters stand beside are where they were, and are still those.
 *   base [out] what is there; free it after a failure too */
static gg_status open_base(const struct gg_world *world, const struct gg_loaded_model *m,
                           struct gg_checkpoint_contents *base) {
    const struct gg_checkpoint_meta *meta = &m->contents.meta;
    const gg_status opened = gg_checkpoint_open(world->comm, meta->base_path, base);
    if (opened != GG_OK)
        return gg_fail_within(opened, "%s holds adapters alone, and the weights that they stand beside",
                              m->path);
    return gg_checkpoint_check_base(m->path, meta, meta->base_path, base);
}

/* Reads the frozen weights, and adds the adapters. Every rank reads these whole, for they are small. */
static gg_status read_adapted(const struct gg_world *world, const struct gg_adapters *adapters,
                              const struct gg_loaded_model *m) {
    const struct gg_replica *r = &m->replica;
    const struct gg_parameter_table *table = &r->graph.table;
    const char *base = m->contents.meta.base_path;
    struct gg_checkpoint_contents contents;
    struct gg_parameter_table of_base = {0};
    gg_status status = open_base(world, m, &contents);
    if (status == GG_OK)
        status = gg_adapters_check(adapters, table);
    if (status == GG_OK && world->rank == 0)
        fprintf(stderr, "%s: adapters of rank %lld, added to the weights of %s\n", m->path,
                (long long)adapters->settings.rank, base);
    if (status == GG_OK) {
        gg_adapters_base_table(adapters, &contents, table, &of_base);
        status = gg_checkpoint_read(r->topology.grid, base, &of_base, r->state.weights, NULL, NULL);
    }
    gg_parameter_table_free(&of_base);
    gg_checkpoint_contents_free(&contents);
    for (int i = 0; status == GG_OK && i < table->count; i++)
        status =
            gg_adapters_add(adapters, table, &table->items[i], r->state.weights + table->items[i].offset);
    return status;
}

int64_t gg_loaded_model_vocab(const struct gg_loaded_model *model) {
    return model->tokenizer != NULL ? gg_tokenizer_vocab(model->tokenizer) : model->contents.meta.vocab;
}

gg_status gg_loaded_model_open(const struct gg_world *world, const char *path, const char *grid,
                               int64_t micro, int precision, struct gg_loaded_model *model) {
    *model = (struct gg_loaded_model){0};
    gg_settings_init(&model->settings);
    GG_TRY(gg_agree(world->comm, gg_checkpoint_find(path, &model->path)));
    GG_TRY(gg_checkpoint_open(world->comm, model->path, &model->contents));
    GG_TRY(check_name(path, model));
    GG_TRY(gg_agree(world->comm, read_texts(grid, micro, model)));
    /* The model that is made has no adapters. */
    struct gg_adapters adapters = {model->path, &model->contents, model->settings.lora};
    gg_options_free(&gg_lora_setting_rows, &model->settings.lora);
    adapters.settings.targets = model->settings.lora.targets;
    model->settings.lora = (struct gg_lora_settings){0};
    struct gg_replica *r = &model->replica;
    GG_TRY(gg_replica_place(world, &model->settings, r));
    enum gg_precision chosen = (enum gg_precision)model->settings.compute.precision;
    GG_TRY(gg_precision_choose_option(world, precision, chosen, &chosen));
    GG_TRY(gg_replica_shape(r, gg_loaded_model_vocab(model), chosen, false));
    GG_TRY(gg_replica_open_weights(r));
    const gg_status status = model->contents.meta.base_path != NULL
                                 ? read_adapted(world, &adapters, model)
                                 : gg_checkpoint_read(r->topology.grid, model->path, &r->graph.table,
                                                      r->state.weights, NULL, NULL);
    return gg_agree(world->comm, status);
}

void gg_loaded_model_close(struct gg_loaded_model *model) {
    free(model->path);
    gg_checkpoint_contents_free(&model->contents);
    gg_settings_free(&model->settings);
    gg_tokenizer_destroy(&model->tokenizer);
    gg_replica_close(&model->replica);
    *model = (struct gg_loaded_model){0};
}
