#include "jobs/loaded_model.h"

#include "core/base/memory.h"
#include "io/settings_file.h"
#include "io/tokenizer_file.h"
#include "mpi/world.h"

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

static gg_status understand(const struct gg_fabric *fabric, struct gg_loaded_model *m) {
    const struct gg_checkpoint_meta *meta = &m->contents.meta;
    GG_TRY(gg_settings_read_text(&m->settings, meta->settings_yaml, strlen(meta->settings_yaml), m->path));
    GG_TRY(gg_settings_resolve(&m->settings));
    if (meta->tokenizer_json == NULL)
        return gg_fail(GG_BAD_DATA, "%s: holds no tokenizer", m->path);
    GG_TRY(gg_tokenizer_from_json(meta->tokenizer_json, meta->tokenizer_bytes, m->path, &m->tokenizer));
    GG_TRY(gg_gpt_configure(&m->settings, gg_tokenizer_vocab(m->tokenizer), fabric, &m->config));
    GG_TRY(gg_gpt_parameters(&m->config, fabric, &m->table));
    void *memory;
    GG_TRY(gg_try_malloc((size_t)m->table.local_elements * sizeof(float), "the model's weights", &memory));
    m->weights = memory;
    return GG_OK;
}

gg_status gg_loaded_model_open(MPI_Comm comm, const struct gg_fabric *fabric, const char *path,
                               struct gg_loaded_model *model) {
    *model = (struct gg_loaded_model){0};
    gg_settings_init(&model->settings);
    GG_TRY(gg_agree(comm, find_file(path, &model->path)));
    GG_TRY(gg_checkpoint_open(comm, model->path, &model->contents));
    GG_TRY(gg_agree(comm, understand(fabric, model)));
    return gg_checkpoint_read(comm, model->path, &model->table, model->weights, NULL, NULL);
}

void gg_loaded_model_close(struct gg_loaded_model *model) {
    free(model->path);
    gg_checkpoint_contents_free(&model->contents);
    gg_settings_free(&model->settings);
    gg_tokenizer_destroy(&model->tokenizer);
    gg_parameter_table_free(&model->table);
    free(model->weights);
    *model = (struct gg_loaded_model){0};
}
