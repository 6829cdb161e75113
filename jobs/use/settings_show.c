/* gridgpt settings: the settings a run would have, for people and for job scripts. */
#include "jobs/command/commands.h"
#include "jobs/command/job_settings.h"
#include "jobs/use/plan_show.h"

#include <stdlib.h>

struct values {
    char *get;
    int64_t ranks;
};

static const struct gg_option options[] = {
    {"get", GG_OPTION_TEXT, offsetof(struct values, get), 0, 0, NULL, NULL, "NAME",
     "print the value of one setting alone, as it is", 0},
    {"ranks", GG_OPTION_INTEGER, offsetof(struct values, ranks), 0, 1000000, "0", NULL, "N",
     "print the memory that a rank would take on so many ranks, by part, instead", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

static gg_status show_one(const struct gg_settings *settings, const char *name) {
    const struct gg_option *option = gg_options_find(&gg_settings_table, name);
    if (option == NULL) {
        const char *nearest = gg_options_nearest(&gg_settings_table, name);
        return gg_fail(GG_USAGE, "unknown setting '%s'%s%s%s", name,
                       nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "'?" : "");
    }
    char *text = gg_option_text(option, settings);
    puts(text);
    free(text);
    return GG_OK;
}

static gg_status show(const struct gg_command *command, const void *options_read,
                      const struct gg_words *words) {
    const struct values *values = options_read;
    const char *name = values->get;
    (void)command;
    struct gg_settings settings;
    gg_settings_init(&settings);
    gg_status status = gg_job_settings_read(words, NULL, &settings);
    if (status == GG_OK && name != NULL) {
        status = show_one(&settings, name);
    } else if (status == GG_OK && values->ranks > 0) {
        status = gg_plan_show(&settings, (int)values->ranks);
    } else if (status == GG_OK) {
        char *yaml = gg_settings_yaml(&settings);
        fputs(yaml, stdout);
        free(yaml);
    }
    gg_settings_free(&settings);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_command_run(command, argc, argv, &values, show);
}

const struct gg_command gg_command_settings = {
    .name = "settings",
    .usage = "gridgpt settings [SETTINGS.yaml] [key=value]... [--get NAME | --ranks N]",
    .summary = "Checks the settings of a run and prints them all, as the run would take them.",
    .options = &table,
    .run = run,
    .settings = &gg_settings_table,
};
