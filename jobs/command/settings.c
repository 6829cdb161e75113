#include "jobs/command/settings.h"

#include "core/base/memory.h"
#include "core/model/lora_targets.h"
#include "io/run/settings_file.h"

#include <stdlib.h>
#include <string.h>

/* The rooms, in the table's order. */
static const struct room {
    const struct gg_option_table *rows;
    size_t offset;
} rooms[] = {
    {&gg_model_setting_rows, offsetof(struct gg_settings, model)},
    {&gg_data_setting_rows, offsetof(struct gg_settings, data)},
    {&gg_batch_setting_rows, offsetof(struct gg_settings, batch)},
    {&gg_optim_setting_rows, offsetof(struct gg_settings, optim)},
    {&gg_parallel_setting_rows, offsetof(struct gg_settings, parallel)},
    {&gg_compute_setting_rows, offsetof(struct gg_settings, compute)},
    {&gg_checkpoint_setting_rows, offsetof(struct gg_settings, checkpoint)},
    {&gg_eval_setting_rows, offsetof(struct gg_settings, eval)},
    {&gg_finetune_setting_rows, offsetof(struct gg_settings, finetune)},
    {&gg_lora_setting_rows, offsetof(struct gg_settings, lora)},
    {&gg_chat_setting_rows, offsetof(struct gg_settings, chat)},
    {&gg_run_setting_rows, offsetof(struct gg_settings, run)},
};
enum { ROOM_COUNT = sizeof rooms / sizeof *rooms, MOST_ROWS = 200 };

static struct gg_option all_rows[MOST_ROWS];
struct gg_option_table gg_settings_table = {"setting", "", all_rows, 0};

/* Before main(), because tables of commands hold the table's address and no thread may see half of it. */
__attribute__((constructor)) static void put_table_together(void) {
    for (size_t r = 0; r < ROOM_COUNT; r++) {
        for (size_t i = 0; i < rooms[r].rows->count; i++) {
            GG_ASSERT(gg_settings_table.count < MOST_ROWS);
            struct gg_option *row = &all_rows[gg_settings_table.count++];
            *row = rooms[r].rows->options[i];
            row->offset += rooms[r].offset;
        }
    }
}

/* The part of `given` that is a room's. */
static const bool *given_of(const struct gg_settings *settings, const struct gg_option_table *rows) {
    const bool *given = settings->given;
    for (size_t r = 0; rooms[r].rows != rows; r++)
        given += rooms[r].rows->count;
    return given;
}

static struct gg_option_values values_of(struct gg_settings *settings) {
    return (struct gg_option_values){&gg_settings_table, settings, settings->given};
}

void gg_settings_init(struct gg_settings *settings) {
    memset(settings, 0, sizeof *settings);
    gg_options_defaults(&gg_settings_table, settings);
    settings->given = gg_calloc(gg_settings_table.count, sizeof *settings->given);
}

void gg_settings_free(struct gg_settings *settings) {
    gg_options_free(&gg_settings_table, settings);
    free(settings->given);
    settings->given = NULL;
}

gg_status gg_settings_set(struct gg_settings *settings, const char *name, const char *text,
                          const char *origin) {
    const struct gg_option_values values = values_of(settings);
    return gg_option_values_set(&values, name, text, origin);
}

gg_status gg_settings_read_file(struct gg_settings *settings, const char *path) {
    const struct gg_option_values values = values_of(settings);
    return gg_settings_file_read(&values, path);
}

gg_status gg_settings_read_text(struct gg_settings *settings, const char *text, size_t bytes,
                                const char *origin) {
    const struct gg_option_values values = values_of(settings);
    return gg_settings_file_read_text(&values, text, bytes, origin);
}

gg_status gg_settings_read_checkpoint(struct gg_settings *settings, const char *yaml, const char *origin) {
    GG_TRY(gg_settings_read_text(settings, yaml, strlen(yaml), origin));
    for (size_t i = 0; i < gg_settings_table.count; i++)
        settings->given[i] = true;
    return GG_OK;
}

gg_status gg_settings_set_word(struct gg_settings *settings, char *const *words, int index) {
    const struct gg_option_values values = values_of(settings);
    return gg_settings_file_set_word(&values, words, index);
}

gg_status gg_settings_resolve(struct gg_settings *settings) {
    GG_TRY(gg_model_settings_resolve(&settings->model, given_of(settings, &gg_model_setting_rows)));
    GG_TRY(gg_data_settings_check(&settings->data));
    int virtual_replicas;
    GG_TRY(gg_reproducible_parse(settings->parallel.reproducible, &virtual_replicas));
    GG_TRY(gg_batch_settings_check(&settings->batch));
    GG_TRY(gg_optim_settings_resolve(&settings->optim, given_of(settings, &gg_optim_setting_rows),
                                     settings->run.steps));
    if (settings->run.from != NULL && settings->finetune.from != NULL)
        return gg_fail(GG_USAGE, "run.from and finetune.from exclude each other; leave one of them away");
    if (settings->model.labels.count > 0 && settings->finetune.from == NULL)
        return gg_fail(GG_USAGE,
                       "model.labels: classes are learned from samples, which 'gridgpt finetune' reads; "
                       "set finetune.from");
    if (settings->finetune.patience > 0) {
        if (settings->eval.patience > 0 && settings->eval.patience != settings->finetune.patience)
            return gg_fail(GG_USAGE,
                           "finetune.patience %lld and eval.patience %lld are one setting; give one of them",
                           (long long)settings->finetune.patience, (long long)settings->eval.patience);
        settings->eval.patience = settings->finetune.patience;
    }
    GG_TRY(gg_lora_settings_resolve(&settings->lora, &settings->model));
    return gg_run_settings_check(&settings->run);
}

const char *gg_settings_from(const struct gg_settings *settings, const char **name) {
    *name = settings->finetune.from != NULL ? "finetune.from" : "run.from";
    return settings->finetune.from != NULL ? settings->finetune.from : settings->run.from;
}

char *gg_settings_yaml(const struct gg_settings *settings) {
    return gg_options_yaml(&gg_settings_table, settings);
}

struct gg_plan_request gg_settings_plan_request(const struct gg_settings *settings) {
    return (struct gg_plan_request){.model = &settings->model,
                                    .batch = &settings->batch,
                                    .parallel = &settings->parallel,
                                    .optim = &settings->optim,
                                    .marked = settings->finetune.from != NULL};
}
