#include "jobs/use/model_print.h"

#include "jobs/command/settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The settings that are not the defaults, one a line. */
static void print_settings(const struct gg_settings *settings, FILE *out) {
    struct gg_settings defaults;
    gg_settings_init(&defaults);
    fprintf(out, "  settings that differ from the defaults\n");
    for (size_t i = 0; i < gg_settings_table.count; i++) {
        const struct gg_option *option = &gg_settings_table.options[i];
        char *value = gg_option_text(option, settings), usual[256];
        gg_options_format(option, &defaults, usual, sizeof usual);
        if (strcmp(value, usual) != 0)
            fprintf(out, "    %s: %s\n", option->name, value);
        free(value);
    }
    gg_settings_free(&defaults);
}

void gg_model_print(const struct gg_checkpoint_meta *meta, int64_t parameters, FILE *out) {
    struct gg_settings settings;
    gg_settings_init(&settings);
    const char *yaml = meta->settings_yaml;
    const double millions = (double)parameters / 1e6;
    if (gg_settings_read_checkpoint(&settings, yaml, "its settings") != GG_OK) {
        fprintf(out, "  model        %.2f M parameters\n", millions);
        fprintf(out, "  settings     not understood by this version: %s\n", gg_failure());
    } else {
        fprintf(out,
                "  model        %" PRId64 " layers, %" PRId64 " heads, width %" PRId64 ", context %" PRId64
                ", vocabulary %" PRId64 ": %.2f M parameters\n",
                settings.model.layers, settings.model.heads, settings.model.width, settings.model.context,
                settings.model.vocab != 0 ? settings.model.vocab : meta->vocab, millions);
        print_settings(&settings, out);
    }
    gg_settings_free(&settings);
}
