/* gridgpt inspect: what a file of ours holds, in words. */
#include "io/checkpoint.h"
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

static gg_status inspect(const struct values *values, const char *path) {
    if (gg_shard_recognise(path))
        return gg_shard_describe(path, values->verify, stdout);
    return gg_checkpoint_print(path, values->verify, values->tensors, stdout);
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    struct gg_words words;
    bool help;
    gg_status status = gg_command_line_read(command, argc, argv, &values, &words, &help);
    if (status == GG_OK && !help && words.count != 1)
        status = gg_fail(GG_USAGE, "one FILE is wanted; usage: %s", command->usage);
    if (status == GG_OK && !help)
        status = inspect(&values, words.items[0]);
    if (fflush(stdout) != 0 && status == GG_OK)
        status = gg_fail(GG_STORAGE, "the output cannot be written");
    gg_words_free(&words);
    return status;
}

const struct gg_command gg_command_inspect = {
    .name = "inspect",
    .usage = "gridgpt inspect FILE [--verify] [--tensors]",
    .summary = "Says what a token shard or a checkpoint holds, in words.",
    .options = &table,
    .run = run,
    .more_help = "Exit status 65 when the file is damaged or is neither; with --verify every byte counts.\n",
};
