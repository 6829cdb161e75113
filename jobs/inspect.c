/* gridgpt inspect: what a file of ours holds, in words. */
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/shard.h"
#include "jobs/commands.h"

struct values {
    bool verify, tensors;
};

static const struct gg_option options[] = {
    {"verify", GG_OPTION_FLAG, offsetof(struct values, verify), 0, 0, NULL, NULL, NULL,
     "read every byte and recompute every checksum"},
    {"tensors", GG_OPTION_FLAG, offsetof(struct values, tensors), 0, 0, NULL, NULL, NULL,
     "list a checkpoint's tensors: name, shape, checksum"},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

static gg_status inspect(const struct gg_command *command, const void *options_read,
                         const struct gg_words *words) {
    const struct values *values = options_read;
    if (words->count != 1)
        return gg_fail(GG_USAGE, "one FILE is wanted; usage: %s", command->usage);
    const char *path = words->items[0];
    GG_TRY(gg_file_check_regular(path));
    if (gg_shard_recognise(path))
        return gg_shard_describe(path, values->verify, stdout);
    return gg_checkpoint_print(path, values->verify, values->tensors, stdout);
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_command_run(command, argc, argv, &values, inspect);
}

const struct gg_command gg_command_inspect = {
    .name = "inspect",
    .usage = "gridgpt inspect FILE [--verify] [--tensors]",
    .summary = "Says what a token shard or a checkpoint holds, in words.",
    .options = &table,
    .run = run,
    .more_help =
        "Exit status 65 when the file is damaged or is neither; with --verify every byte counts, and a\n"
        "shard's ids are compared with the tokenizer.json beside it.\n",
};
