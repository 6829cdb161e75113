/* Settings files. What is taken is written as YAML that reads back to the same. */
#include "jobs/command/settings.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_written(const struct gg_settings *settings) {
    char *yaml = gg_settings_yaml(settings);
    struct gg_settings again;
    gg_settings_init(&again);
    const gg_status status = gg_settings_read_text(&again, yaml, strlen(yaml), "written");
    char *second = gg_settings_yaml(&again);
    if (status != GG_OK || strcmp(yaml, second) != 0)
        fprintf(stderr, "%s\nwritten:\n%sread back:\n%s", gg_failure(), yaml, second);
    GG_ASSERT(status == GG_OK && strcmp(yaml, second) == 0);
    free(second);
    free(yaml);
    gg_settings_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *text = fuzz_text(data, bytes);
    struct gg_settings settings;
    gg_settings_init(&settings);
    gg_status status = gg_settings_read_text(&settings, text, bytes, "fuzzed");
    if (status == GG_OK)
        check_written(&settings);
    if (status == GG_OK)
        status = gg_settings_resolve(&settings);
    if (status == GG_OK)
        check_written(&settings);
    else
        fuzz_check_failure(status, GG_USAGE);
    gg_settings_free(&settings);
    free(text);
    return 0;
}
