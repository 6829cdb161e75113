/* A Hugging Face config.json. The settings of one that is taken are in their ranges; where they make a model that is
 * written again, they are read back the same. */
#include "core/base/memory.h"
#include "core/model/graph.h"
#include "io/base/json_parse.h"
#include "io/huggingface/huggingface_config.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_ranges(const struct gg_model_settings *settings) {
    for (size_t i = 0; i < gg_model_setting_rows.count; i++) {
        const struct gg_option *row = &gg_model_setting_rows.options[i];
        const char *field = (const char *)settings + row->offset;
        if (row->type == GG_OPTION_INTEGER) {
            int64_t value;
            memcpy(&value, field, sizeof value);
            GG_ASSERT((double)value >= row->min && (double)value <= row->max);
        } else if (row->type == GG_OPTION_REAL) {
            double value;
            memcpy(&value, field, sizeof value);
            GG_ASSERT(value >= row->min && value <= row->max);
        }
    }
    GG_ASSERT(settings->vocab > 0);
}

/* Only dropout may be lost: transformers' Llamas have none of the kind. */
static void check_same(const struct gg_model_settings *a, const struct gg_model_settings *b) {
    const struct gg_model_settings x = gg_model_settings_filled(a), y = gg_model_settings_filled(b);
    for (size_t i = 0; i < gg_model_setting_rows.count; i++) {
        char one[80], other[80];
        const struct gg_option *row = &gg_model_setting_rows.options[i];
        gg_options_format(row, &x, one, sizeof one);
        gg_options_format(row, &y, other, sizeof other);
        GG_ASSERT(strcmp(one, other) == 0 || strcmp(row->name, "model.dropout") == 0);
    }
}

static void check_written(const struct gg_model_settings *settings) {
    static const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    const struct gg_compute_settings compute = {0};
    struct gg_model_config config;
    struct gg_graph graph;
    struct gg_model_settings again;
    json_t *root;
    GG_ASSERT(gg_model_configure(settings, &compute, 0, settings->vocab, &whole, &config) == GG_OK);
    gg_graph_make(&config, &whole, &graph);
    const gg_status status =
        gg_huggingface_config_write(settings, &graph.table, GG_SAFETENSORS_F32, -1, &root);
    if (status == GG_OK) {
        GG_ASSERT(gg_huggingface_config_read(root, &again) == GG_OK);
        check_same(settings, &again);
    } else {
        fuzz_check_failure(status, GG_USAGE);
    }
    json_decref(root);
    gg_graph_free(&graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct gg_model_settings settings;
    json_t *root;
    char *text = fuzz_text(data, bytes);
    gg_status status = gg_json_parse(text, bytes, &root);
    free(text);
    if (status == GG_OK)
        status = gg_huggingface_config_read(root, &settings);
    json_decref(root);
    if (status != GG_OK) {
        fuzz_check_failure(status, GG_BAD_DATA);
        return 0;
    }
    check_ranges(&settings);
    bool *given = gg_calloc(gg_model_setting_rows.count, sizeof *given);
    status = gg_model_settings_resolve(&settings, given);
    free(given);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_USAGE);
    else if (settings.layers <= 4) /* a graph takes as long to make as it has layers */
        check_written(&settings);
    return 0;
}
