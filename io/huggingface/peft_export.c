#include "io/huggingface/peft_export.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/checkpoint/checkpoint_tensor.h"
#include "io/huggingface/export_folder.h"
#include "io/huggingface/huggingface_names.h"
#include "io/huggingface/safetensors_write.h"
#include "io/huggingface/transposition.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number without a fraction as JSON's integer. */
static json_t *number(double value) {
    return value == floor(value) && fabs(value) < 1e15 ? json_integer((json_int_t)value) : json_real(value);
}

/* GPT's maps are stored (in, out) there too, which PEFT has to be told. */
static json_t *make_config(const struct gg_adapters *adapters, const struct gg_parameter_table *table) {
    const struct gg_lora_settings *settings = &adapters->settings;
    const bool classes = gg_checkpoint_find_tensor(adapters->contents, "model", "score.weight") != NULL;
    json_t *targets = json_array();
    for (size_t i = 0; i < settings->targets.count; i++)
        json_array_append_new(targets, json_string(settings->targets.items[i]));
    return json_pack("{s:s, s:s, s:n, s:I, s:o, s:o, s:o, s:b, s:s, s:b, s:b, s:o}", "peft_type", "LORA",
                     "task_type", classes ? "SEQ_CLS" : "CAUSAL_LM", "base_model_name_or_path", "r",
                     (json_int_t)settings->rank, "lora_alpha", number(settings->alpha), "lora_dropout",
                     number(settings->dropout), "target_modules", targets, "fan_in_fan_out",
                     !gg_huggingface_is_linear(table), "bias", "none", "inference_mode", 1,
                     "init_lora_weights", 1, "modules_to_save",
                     classes ? json_pack("[s]", "score") : json_null());
}

static gg_status write_config(const struct gg_adapters *adapters, const struct gg_parameter_table *table,
                              const char *folder) {
    json_t *root = make_config(adapters, table);
    GG_ASSERT(root != NULL);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12)),
         *path = gg_format("%s/adapter_config.json", folder), *line = gg_format("%s\n", text);
    const gg_status status = gg_file_write(path, line, strlen(line));
    free(line);
    free(path);
    free(text);
    json_decref(root);
    return status;
}

/* Whether a tensor is an adapter, (in, out), and no head, which stands as it does there. */
static bool is_turned(const struct gg_checkpoint_tensor *t) {
    return strstr(t->name, ".lora_") != NULL;
}

/* Puts a matrix as torch's Linear has it. */
static gg_status put_tensor(const struct gg_adapters *adapters, const struct gg_checkpoint_tensor *t,
                            gg_safetensors_writer *writer) {
    const int64_t elements = t->rows * t->columns;
    void *memory;
    GG_TRY(gg_try_malloc(2 * (size_t)elements * sizeof(float), t->name, &memory));
    float *values = memory, *turned = values + elements;
    gg_status status = gg_checkpoint_load_tensor(adapters->path, t, values);
    if (status == GG_OK) {
        gg_transpose(values, t->columns, t->rows, t->columns, turned, t->rows);
        status = gg_safetensors_put(writer, is_turned(t) ? turned : values, elements);
    }
    free(memory);
    return status;
}

/*   tensors, items [in] (count) what is written, as it stands here and there */
static gg_status write_tensors(const struct gg_adapters *adapters,
                               const struct gg_checkpoint_tensor *const *tensors,
                               const struct gg_safetensors_item *items, int count,
                               enum gg_safetensors_type type, const char *folder) {
    char *path = gg_format("%s/adapter_model.safetensors", folder);
    gg_safetensors_writer *writer;
    gg_status status = gg_safetensors_writer_create(path, items, count, type, &writer);
    for (int i = 0; status == GG_OK && i < count; i++)
        status = put_tensor(adapters, tensors[i], writer);
    if (status == GG_OK)
        status = gg_safetensors_writer_finish(writer);
    gg_safetensors_writer_destroy(&writer);
    free(path);
    return status;
}

static gg_status write_weights(const struct gg_adapters *adapters, enum gg_safetensors_type type,
                               const char *folder) {
    const struct gg_checkpoint_contents *contents = adapters->contents;
    const struct gg_checkpoint_tensor **tensors = gg_malloc((size_t)contents->count * sizeof *tensors);
    struct gg_safetensors_item *items = gg_malloc((size_t)contents->count * sizeof *items);
    char **names = gg_malloc((size_t)contents->count * sizeof *names);
    int count = 0;
    for (int i = 0; i < contents->count; i++) {
        const struct gg_checkpoint_tensor *t = &contents->tensors[i];
        if (strcmp(t->group, "model") != 0)
            continue;
        names[count] = gg_format("base_model.model.%s", t->name);
        tensors[count] = t;
        items[count] = (struct gg_safetensors_item){names[count], 2, {t->rows, t->columns}};
        if (is_turned(t))
            items[count] = (struct gg_safetensors_item){names[count], 2, {t->columns, t->rows}};
        count++;
    }
    const gg_status status = write_tensors(adapters, tensors, items, count, type, folder);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    free(items);
    free(tensors);
    return status;
}

gg_status gg_peft_export(const struct gg_adapters *adapters, const struct gg_parameter_table *table,
                         enum gg_safetensors_type type, const char *folder) {
    struct gg_export_folder place = {0};
    gg_status status = gg_export_folder_begin(folder, &place);
    if (status == GG_OK)
        status = write_config(adapters, table, place.temporary);
    if (status == GG_OK)
        status = write_weights(adapters, type, place.temporary);
    if (status == GG_OK)
        status = gg_export_folder_finish(&place);
    gg_export_folder_end(&place);
    return status;
}
