/* gridgpt inspect: what a file of ours holds, or what settings make, in words. */
#include "io/base/file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/shards/shard.h"
#include "jobs/command/child.h"
#include "jobs/command/commands.h"
#include "jobs/command/job_settings.h"
#include "jobs/use/model_print.h"
#include "jobs/use/model_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Processor time that a file may take: far more than reading and verifying it does anywhere. */
enum { SECONDS = 20, BYTES_PER_SECOND = 10 << 20 };

struct values {
    bool verify, tensors;
    char *preset;
    int64_t ranks;
};

static const struct gg_option options[] = {
    {"verify", GG_OPTION_FLAG, offsetof(struct values, verify), 0, 0, NULL, NULL, NULL,
     "read all that a reader looks at and recompute every checksum", 0},
    {"tensors", GG_OPTION_FLAG, offsetof(struct values, tensors), 0, 0, NULL, NULL, NULL,
     "list a checkpoint's or a model's tensors: name, shape, checksum", 0},
    {"preset", GG_OPTION_TEXT, offsetof(struct values, preset), 0, 0, NULL, NULL, "NAME",
     "say what model.preset NAME is instead; all: a table of all presets", 0},
    {"ranks", GG_OPTION_INTEGER, offsetof(struct values, ranks), 0, 1000000, "0", NULL, "N",
     "of settings or a preset: the memory on so many ranks; 0: on those of one grid", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

static bool is_settings_file(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* The model of settings, or of a preset with settings behind it. */
static gg_status inspect_settings(const struct values *values, const struct gg_words *words) {
    char preset[128];
    char *const defaults[] = {preset, NULL};
    struct gg_settings settings;
    if (values->preset != NULL)
        snprintf(preset, sizeof preset, "model.preset=%s", values->preset);
    gg_settings_init(&settings);
    gg_status status = gg_job_settings_read(words, values->preset != NULL ? defaults : NULL, &settings);
    if (status == GG_OK)
        status = gg_model_show(&settings, (int)values->ranks, values->tensors);
    gg_settings_free(&settings);
    return status;
}

static gg_status inspect(const struct gg_command *command, const void *options_read,
                         const struct gg_words *words) {
    const struct values *values = options_read;
    if (values->preset != NULL && strcmp(values->preset, "all") == 0 && words->count == 0)
        return gg_model_show_presets();
    if (values->preset != NULL || (words->count > 0 && is_settings_file(words->items[0])))
        return inspect_settings(values, words);
    if (words->count != 1)
        return gg_fail(GG_USAGE, "one FILE is wanted; usage: %s", command->usage);
    const char *path = words->items[0];
    GG_TRY(gg_file_check_regular(path));
    const int64_t bytes = gg_file_size(path);
    bool inside;
    const gg_status status =
        gg_child_run(path, "HDF5", SECONDS + (bytes > 0 ? bytes / BYTES_PER_SECOND : 0), &inside);
    if (!inside)
        return status;
    if (gg_shard_recognise(path))
        return gg_shard_describe(path, values->verify, stdout);
    return gg_checkpoint_print(path, values->verify, values->tensors, gg_model_print, stdout);
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_command_run(command, argc, argv, &values, inspect);
}

const struct gg_command gg_command_inspect = {
    .name = "inspect",
    .usage = "gridgpt inspect FILE [--verify] [--tensors] | SETTINGS.yaml [key=value]... | --preset NAME "
             "[key=value]... [--ranks N]",
    .summary = "Says what a token shard or a checkpoint holds, or what model settings make, in words.",
    .options = &table,
    .run = run,
    .more_help =
        "Exit status 65 when the file is damaged or is neither, also when HDF5 itself crashes over it: it\n"
        "is read in a process of its own. --verify covers all contents and HDF5's own bookkeeping: every\n"
        "object, its name in each of the group's orders, its attributes; a shard's ids are compared with\n"
        "the tokenizer.json beside it. Not covered is what no reader looks at: bytes between and at the\n"
        "end of blocks in which nothing stands, HDF5's lists of free space, and hints to the\n"
        "decompressor.\n",
};
