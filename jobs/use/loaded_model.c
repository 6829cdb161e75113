#include "jobs/use/loaded_model.h"

#include "core/base/memory.h"
#include "core/plan/legality.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/launch/precision_choice.h"
#include "mpi/world/world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The file that `path` means: itself, or the newest checkpoint of a run folder or a folder of checkpoints. */
static gg_status find_file(const char *path, char **file) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        *file = gg_strdup(path);
        return GG_OK;
    }
    char *below = gg_format("%s/checkpoints", path);
    gg_status status = gg_checkpoint_newest(below, file);
    free(below);
    if (status == GG_OK && *file == NULL)
        status = gg_checkpoint_newest(path, file);
    if (status == GG_OK && *file == NULL)
        status = gg_fail(GG_STORAGE, "%s: a folder without checkpoints", path);
    return status;
}

/* A checkpoint that was chosen by its name must be what that says; one that the user named may be called
 * anything.
 */
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
    GG_TRY(gg_settings_read_text(&m->settings, meta->settings_yaml, strlen(meta->settings_yaml), m->path));
    GG_TRY(gg_settings_resolve(&m->settings));
    GG_TRY(gg_settings_set(&m->settings, "parallel.grid", grid, "--grid"));
    m->settings.batch.micro = micro;
    if (meta->tokenizer_json == NULL)
        return gg_fail(GG_BAD_DATA, "%s: holds no tokenizer", m->path);
    return gg_tokenizer_from_json(meta->tokenizer_json, meta->tokenizer_bytes, m->path, &m->tokenizer);
}

static gg_status allocate(struct gg_loaded_model *m, enum gg_precision precision) {
    struct gg_model_config config;
    GG_TRY(gg_model_configure(&m->settings.model, &m->settings.compute, m->settings.run.seed,
                              gg_tokenizer_vocab(m->tokenizer), &m->fabric.shards, &config));
    config.precision = precision;
    gg_graph_make(&config, &m->fabric.shards, &m->graph);
    void *memory;
    GG_TRY(
        gg_try_malloc((size_t)m->graph.table.local_elements * sizeof(float), "the model's weights", &memory));
    m->weights = memory;
    return GG_OK;
}

gg_status gg_loaded_model_open(const struct gg_world *world, const char *path, const char *grid,
                               int64_t micro, int precision, struct gg_loaded_model *model) {
    struct gg_place place;
    *model = (struct gg_loaded_model){0};
    gg_settings_init(&model->settings);
    GG_TRY(gg_agree(world->comm, find_file(path, &model->path)));
    GG_TRY(gg_checkpoint_open(world->comm, model->path, &model->contents));
    GG_TRY(check_name(path, model));
    GG_TRY(gg_agree(world->comm, read_texts(grid, micro, model)));
    const struct gg_plan_request request = gg_settings_plan_request(&model->settings);
    GG_TRY(gg_legality_grid(&request, world->size, world->rank, &place));
    gg_topology_create(world, &place, &model->topology);
    GG_TRY(gg_agree(world->comm, gg_grid_create(model->topology.grid, place.shards.feature_shards,
                                                place.shards.token_shards,
                                                gg_int(model->settings.parallel.block), &model->grid)));
    model->fabric = *gg_grid_fabric(model->grid);
    enum gg_precision chosen = (enum gg_precision)model->settings.compute.precision;
    GG_TRY(gg_precision_choose_option(world, precision, chosen, &chosen));
    GG_TRY(gg_agree(world->comm, allocate(model, chosen)));
    const gg_status status = gg_checkpoint_read(model->topology.grid, model->path, &model->graph.table,
                                                model->weights, NULL, NULL);
    return gg_agree(world->comm, status);
}

void gg_loaded_model_close(struct gg_loaded_model *model) {
    free(model->path);
    gg_checkpoint_contents_free(&model->contents);
    gg_settings_free(&model->settings);
    gg_tokenizer_destroy(&model->tokenizer);
    gg_graph_free(&model->graph);
    free(model->weights);
    gg_grid_destroy(&model->grid);
    gg_topology_free(&model->topology);
    *model = (struct gg_loaded_model){0};
}
